/**
 * Calibration after fusion: an average of calibrated experts is under-confident, and which experts ran says how hard the post was.
 * p' is proportional to p^(1/T). T is looked up by (task, kind, set of experts that ran), else (task, kind), else (task). A temperature never
 * changes which label is the likeliest.
 */
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { kinds, type Post } from '../../ingest/contract.ts'
import { type Task, tasks } from '../contract.ts'
import { modelsFolder, Provenance, readManifest } from '../experts/artifact.ts'
import { softmax } from '../experts/probabilities.ts'

export const fusionFolder = join(modelsFolder, 'fusion')

const Weights = Type.Record(Type.String(), Type.Number({ minimum: 0 }))

export const FusionManifest = Type.Intersect([
  Provenance,
  Type.Object({
    /** Weights by kind and expert of the reference score; they never change within a version. */
    reference_weights: Type.Object({ news: Weights, comment: Weights }),
    temperatures: Type.Array(
      Type.Object({
        task: Type.Enum(tasks),
        /** Empty: any kind. */
        kind: Type.Enum([...kinds, '']),
        /** Names of the experts that ran, sorted, joined by `+`; empty: any. */
        experts: Type.String(),
        temperature: Type.Number({ exclusiveMinimum: 0 }),
        rows: Type.Integer({ minimum: 0 }),
      }),
    ),
    /** Printed by the training command; read by people only. */
    metrics: Type.Record(Type.String(), Type.Unknown()),
  }),
])
export type FusionManifest = Static<typeof FusionManifest>

export interface Calibration {
  /** Experts in any order. 1 where nothing was fitted. */
  temperature(context: {
    readonly task: Task
    readonly kind: Post['kind']
    readonly experts: readonly string[]
  }): number
}

/** Throws `MODEL` when the manifest is missing or damaged. */
export function readFusion(folder: string = fusionFolder): FusionManifest {
  return readManifest(join(folder, 'manifest.json'), FusionManifest)
}

export function createCalibration(temperatures: FusionManifest['temperatures']): Calibration {
  const byKey = new Map(
    temperatures.map(({ task, kind, experts, temperature }) => [
      key(task, kind, experts),
      temperature,
    ]),
  )
  return {
    temperature: ({ task, kind, experts }) =>
      byKey.get(key(task, kind, expertSet(experts))) ??
      byKey.get(key(task, kind, '')) ??
      byKey.get(key(task, '', '')) ??
      1,
  }
}

export function expertSet(experts: readonly string[]): string {
  return [...experts].sort().join('+')
}

/** Proportional to p^(1 / temperature). */
export function tempered(probabilities: readonly number[], temperature: number): number[] {
  return softmax(logarithms(probabilities), temperature)
}

/** Logits of a distribution; a probability of 0 counts as 1e-12. */
export function logarithms(probabilities: readonly number[]): number[] {
  return probabilities.map((p) => Math.log(Math.max(p, 1e-12)))
}

function key(task: string, kind: string, experts: string): string {
  return `${task}/${kind}/${experts}`
}
