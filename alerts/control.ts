/** Records of the topic `control` that alerts act on: learn the baselines anew from imported history, or from what other experts say of the past. */
import Type from 'typebox'
import { Value } from 'typebox/value'
import { type Log, topics } from '../infra/log/log.ts'
import { ServingRecord } from '../pipeline/contract.ts'

export const BaselineSeed = Type.Object({
  type: Type.Literal('baseline.seed'),
  source: Type.String({ minLength: 1, maxLength: 100 }),
  /** Only posts whose id begins so: one run among several of the same source. */
  idPrefix: Type.String({ maxLength: 200 }),
  /** published_at range, milliseconds since 1970: `from` included, `to` excluded. */
  from: Type.Integer(),
  to: Type.Integer(),
})
export type BaselineSeed = Type.Static<typeof BaselineSeed>

export type AlertControl = BaselineSeed | ServingRecord

/**
 * Asks the alert engine to replace its baselines by what the history rows of `source` teach. They must be stored already.
 * Resolves with the offset of the record, to wait for with `seeded`.
 */
export async function seedBaselines(options: {
  readonly log: Log
  readonly source: string
  readonly from: number
  readonly to: number
  readonly idPrefix?: string
}): Promise<number> {
  const { log, source, from, to, idPrefix = '' } = options
  const record: BaselineSeed = { type: 'baseline.seed', source, idPrefix, from, to }
  const [position] = await log.append(topics.control, [
    { key: null, value: JSON.stringify(record) },
  ])
  return position?.offset ?? -1
}

/** `undefined` for records of other parts, and for what is no record at all: neither stops the engine. */
export function parseControl(value: Uint8Array): AlertControl | undefined {
  try {
    const record: unknown = JSON.parse(Buffer.from(value).toString('utf8'))
    if (Value.Check(BaselineSeed, record) || Value.Check(ServingRecord, record)) return record
    return undefined
  } catch {
    return undefined
  }
}
