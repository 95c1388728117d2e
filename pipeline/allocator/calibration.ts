/**
 * Calibration after fusion: an average of calibrated experts is under-confident, and which experts ran says how hard the post was.
 * p' is proportional to p^(1/T). T is looked up by method of fusion and (task, kind, set of experts that ran), else (task, kind), else (task): how far
 * a result is from a probability is another matter for each method. A temperature never changes which label is the likeliest.
 */
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { kinds, type Post } from '../../ingest/contract.ts'
import { type FusionMethod, fusionMethods, type Task, tasks } from '../contract.ts'
import { modelsFolder, Provenance, readManifest } from '../experts/artifact.ts'
import { logarithms, softmax } from '../experts/probabilities.ts'
import { expertSet } from './expert-set.ts'
import { StackingModel } from './stacking.ts'

export const fusionFolder = join(modelsFolder, 'fusion')

/** By expert. Only shares count; sums of larger ones could overflow. */
export const ExpertWeights = Type.Record(Type.String(), Type.Number({ minimum: 0, maximum: 1e6 }))

export const FusionTemperature = Type.Object({
  task: Type.Enum(tasks),
  /** Empty: any kind. */
  kind: Type.Enum([...kinds, '']),
  /** Names of the experts that ran, sorted, joined by `+`; empty: any. */
  experts: Type.String(),
  method: Type.Enum(fusionMethods),
  /** A fit stays within [1/20, 20]; p^(1/T) of a tiny one is no number. */
  temperature: Type.Number({ minimum: 0.01, maximum: 100 }),
  rows: Type.Integer({ minimum: 0 }),
})
export type FusionTemperature = Static<typeof FusionTemperature>

export const FusionManifest = Type.Intersect([
  Provenance,
  Type.Object({
    /** Weights by kind and expert of the reference score; they never change within a version. */
    reference_weights: Type.Object({ news: ExpertWeights, comment: ExpertWeights }),
    temperatures: Type.Array(FusionTemperature),
    stacking: Type.Array(StackingModel),
    /** Printed by the training command; read by people only. */
    metrics: Type.Record(Type.String(), Type.Unknown()),
  }),
])
export type FusionManifest = Static<typeof FusionManifest>

export interface Calibration {
  /** Experts in any order; the method is the one that was used. 1 where nothing was fitted. */
  temperature(context: {
    readonly task: Task
    readonly kind: Post['kind']
    readonly experts: readonly string[]
    readonly method: FusionMethod
  }): number
}

/** Throws `MODEL` when the manifest is missing or damaged. */
export function readFusion(folder: string = fusionFolder): FusionManifest {
  return readManifest(join(folder, 'manifest.json'), FusionManifest)
}

/** Of two temperatures for the same the last one counts. */
export function createCalibration(temperatures: readonly FusionTemperature[]): Calibration {
  const byKey = new Map(temperatures.map((node) => [keyOf(node), node.temperature]))
  return {
    temperature({ experts, ...context }) {
      const nodes = [
        { ...context, experts: expertSet(experts) },
        { ...context, experts: '' },
        { ...context, experts: '', kind: '' as const },
      ]
      return nodes.map((node) => byKey.get(keyOf(node))).find((found) => found !== undefined) ?? 1
    },
  }
}

/** Proportional to p^(1 / temperature). */
export function tempered(probabilities: readonly number[], temperature: number): number[] {
  return softmax(logarithms(probabilities), temperature)
}

function keyOf({
  task,
  kind,
  experts,
  method,
}: Omit<FusionTemperature, 'temperature' | 'rows'>): string {
  return JSON.stringify([task, kind, experts, method])
}
