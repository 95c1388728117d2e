/** The state of the fold as text, exact to the bit: numbers in JSON's shortest form read back as themselves, and a digest tells what is damaged. */
import { createHash } from 'node:crypto'
import Type from 'typebox'
import Compile from 'typebox/compile'
import { tasks } from '../../contract.ts'
import type { FoldState } from './fold.ts'
import { judgesOf, type WeightModel } from './model.ts'
import { SeenLabels } from './seen-labels.ts'

const Count = Type.Integer({ minimum: 0 })

const Snapshot = Type.Object({
  version: Type.Integer({ minimum: -1 }),
  digest: Type.String(),
  counts: Type.Object({ learned: Count, repeated: Count, skipped: Count }),
  nodes: Type.Array(
    Type.Tuple([
      Type.String(),
      Type.Object({
        labels: Count,
        weights: Type.Array(Type.Number({ minimum: 0 })),
      }),
    ]),
  ),
  detectors: Type.Array(
    Type.Tuple([
      Type.String(),
      Type.Object({
        verdicts: Count,
        errors: Count,
        sum: Type.Number(),
        recentVerdicts: Count,
        recentErrors: Count,
      }),
    ]),
  ),
  raised: Type.Array(Type.Tuple([Type.String(), Count])),
  seen: Type.String(),
})

const shape = Compile(Snapshot)
const digestLength = 64

export function encodeState(state: FoldState): string {
  const body = JSON.stringify({
    ...state,
    nodes: [...state.nodes],
    detectors: [...state.detectors],
    raised: [...state.raised],
    seen: state.seen.encode(),
  })
  return digestOf(body) + body
}

/** Undefined when it is damaged, or of another model. */
export function decodeState(text: string, model: WeightModel): FoldState | undefined {
  const body = text.slice(digestLength)
  if (text.slice(0, digestLength) !== digestOf(body)) return undefined
  const snapshot: unknown = JSON.parse(body)
  if (!shape.Check(snapshot)) return undefined
  const judges = new Map<string, number>(tasks.map((task) => [task, judgesOf(model, task).length]))
  const fits = snapshot.nodes.every(
    ([key, { weights }]) => weights.length === judges.get(key.split('/')[0] ?? ''),
  )
  const seen = SeenLabels.decode(snapshot.seen)
  if (!fits || seen === undefined) return undefined
  return {
    version: snapshot.version,
    digest: snapshot.digest,
    counts: snapshot.counts,
    nodes: new Map(snapshot.nodes),
    detectors: new Map(snapshot.detectors),
    raised: new Map(snapshot.raised),
    seen,
  }
}

function digestOf(body: string): string {
  return createHash('sha256').update(body).digest('hex')
}
