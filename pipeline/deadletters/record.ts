/**
 * The records of `posts.dead`: letters, and what was decided about them. Decisions stand in the same topic, under the same key, because their
 * order against the letters counts: a post that died again after it was redriven is open again.
 */
import Type from 'typebox'
import Compile from 'typebox/compile'
import { DeadLetter } from '../../ingest/contract.ts'

const decision = {
  origin: Type.String({ minLength: 1, maxLength: 300 }),
  /** The record that this one builds on; another one that came first makes it void. */
  after: Type.Integer({ minimum: 0 }),
}

const author = {
  by: Type.String({ minLength: 1, maxLength: 100 }),
  note: Type.String({ maxLength: 1_000 }),
}

/** Somebody is about to append the post anew: nobody else may, for a while. */
export const Redriving = Type.Object({ type: Type.Literal('redriving'), ...decision, ...author })

/** The post stands in `posts` again. */
export const Redriven = Type.Object({
  type: Type.Literal('redriven'),
  ...decision,
  /** topic/partition/offset */
  position: Type.String({ maxLength: 300 }),
})

export const Dropped = Type.Object({ type: Type.Literal('dropped'), ...decision, ...author })

export const Decision = Type.Union([Redriving, Redriven, Dropped])
export type Decision = Type.Static<typeof Decision>

export type DeadRecord = DeadLetter | Decision

const letter = Compile(DeadLetter)
const decided = Compile(Decision)

/** `undefined` for what is neither. */
export function parseDeadRecord(value: Uint8Array): DeadRecord | undefined {
  try {
    const record: unknown = JSON.parse(Buffer.from(value).toString('utf8'))
    if (decided.Check(record) || letter.Check(record)) return record
  } catch {}
  return undefined
}

export function isDecision(record: DeadRecord): record is Decision {
  return 'type' in record
}
