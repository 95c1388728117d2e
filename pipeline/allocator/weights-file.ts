/**
 * The file that `tickertone fit` writes and `pipeline.allocator.weightsFile` names: weights, stacking and temperatures for the experts that it was fitted
 * on, which are those of these names and versions and no others, and what was measured on which data.
 */
import { readFileSync } from 'node:fs'
import Type, { type Static } from 'typebox'
import { Value } from 'typebox/value'
import { AppError, describeError } from '../../infra/errors.ts'
import { inert } from '../../infra/inert.ts'
import { kinds } from '../../ingest/contract.ts'
import { sentiments, topicLabels } from '../contract.ts'
import type { Expert } from '../experts/expert.ts'
import { ExpertWeights, FusionTemperature } from './calibration.ts'
import { StackingModel } from './stacking.ts'

const ByKind = Type.Object({ news: ExpertWeights, comment: ExpertWeights })
const Count = Type.Integer({ minimum: 0 })

export const WeightsFile = Type.Object({
  /** Of this shape. */
  format: Type.Literal(1),
  command: Type.String(),
  /** The model set: version by name. */
  experts: Type.Record(Type.String({ minLength: 1 }), Type.String()),
  data: Type.Object({
    /** SHA-256 of the labelled file. */
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** Rows that were fitted on. */
    rows: Count,
    /** Of these, texts that the experts that ship learned from, or that their own calibration and fusion were fitted on: figures flatter the fit by them. */
    trainedOn: Count,
    calibratedOn: Count,
  }),
  /** By task, kind and expert. Where there were too few rows: those of the configuration. */
  weights: Type.Object({ sentiment: ByKind, topic: ByKind }),
  temperatures: Type.Array(FusionTemperature),
  stacking: Type.Array(StackingModel),
  /** What was measured on held-out rows; read by people only. */
  figures: Type.Array(Type.Unknown()),
})
export type WeightsFile = Static<typeof WeightsFile>

/** Throws `WEIGHTS` when there is no such file, it is not one of weights, or it was fitted for other experts than these. */
export function readWeightsFile(
  path: string,
  experts: readonly Pick<Expert, 'name' | 'version'>[],
): WeightsFile {
  const file = parseWeightsFile(path)
  const [fitted, running] = [Object.entries(file.experts), versionsOf(experts)].map(modelSet)
  if (fitted !== running)
    throw refused(path, `was fitted for other experts: ${fitted}. These run: ${running}`)
  const stranger = namedIn(file).find((name) => !Object.hasOwn(file.experts, name))
  if (stranger !== undefined)
    throw refused(path, `names an expert that it was not fitted for: ${stranger}`)
  const silent = kinds.find((kind) => Object.keys(file.weights.sentiment[kind]).length === 0)
  if (silent !== undefined) throw refused(path, `has no expert for the sentiment of ${silent}`)
  if (!file.stacking.every(hasNumberPerLabel))
    throw refused(path, 'has a stacking without a number for each label')
  return file
}

/** Of any model set. Throws `WEIGHTS` when there is no such file, or it is not one of weights. */
export function parseWeightsFile(path: string): WeightsFile {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw refused(path, `cannot be read: ${describeError(cause)}`, cause)
  }
  if (Value.Check(WeightsFile, value)) return value
  const [first] = Value.Errors(WeightsFile, value)
  throw refused(path, `is not one of weights: ${first?.instancePath || '/'} ${first?.message}`)
}

function versionsOf(experts: readonly Pick<Expert, 'name' | 'version'>[]): [string, string][] {
  return experts.map(({ name, version }) => [name, version])
}

function hasNumberPerLabel({ task, weights, biases }: StackingModel): boolean {
  const labels = { sentiment: sentiments, topic: topicLabels }[task].length
  return [biases, ...Object.values(weights)].every((numbers) => numbers.length === labels)
}

/** For people, and to compare. */
function modelSet(versions: readonly (readonly [name: string, version: string])[]): string {
  return versions
    .map(([name, version]) => `${name} ${version}`)
    .sort()
    .join(', ')
}

function namedIn({ weights, temperatures, stacking }: WeightsFile): string[] {
  return [
    ...Object.values(weights).flatMap(({ news, comment }) => Object.keys({ ...news, ...comment })),
    ...temperatures.flatMap(({ experts }) => (experts === '' ? [] : experts.split('+'))),
    ...stacking.flatMap((model) => Object.keys(model.weights)),
  ]
}

function refused(path: string, reason: string, cause?: unknown): AppError {
  return new AppError('WEIGHTS', inert(`The weights file ${path} ${reason}`), { cause })
}
