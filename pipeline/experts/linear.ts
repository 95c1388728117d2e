/** The `linear` expert: both tasks in one pass of hashed n-grams. Model card: pipeline/models/linear/README.md. */
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import Type, { type Static } from 'typebox'
import { AppError } from '../../infra/errors.ts'
import { tasks } from '../contract.ts'
import { cleanOpening } from '../text/clean.ts'
import { modelsFolder, Provenance, readManifest, readWeights } from './artifact.ts'
import type { Expert } from './expert.ts'
import { LinearModel, type LinearParameters } from './linear-model.ts'
import { bucketCount } from './ngrams.ts'

export const linearFolder = join(modelsFolder, 'linear')

const Count = Type.Integer({ minimum: 1 })
const Temperature = Type.Number({ exclusiveMinimum: 0 })

export const LinearManifest = Type.Intersect([
  Provenance,
  Type.Object({
    file: Type.String(),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    ngrams: Type.Object({
      wordBits: Count,
      charBits: Count,
      wordLength: Count,
      pairGap: Type.Integer({ minimum: 0 }),
      charFrom: Count,
      charTo: Count,
    }),
    heads: Type.Array(
      Type.Object({
        task: Type.Enum(tasks),
        labels: Count,
        biases: Type.Array(Type.Number()),
        scales: Type.Array(Type.Number()),
        temperatures: Type.Object({ news: Temperature, comment: Temperature }),
      }),
    ),
    /** Printed by the training command; read by people only. */
    metrics: Type.Record(Type.String(), Type.Unknown()),
  }),
])
export type LinearManifest = Static<typeof LinearManifest>

export interface LoadedLinear {
  readonly manifest: LinearManifest
  readonly parameters: LinearParameters
}

let shipped: LoadedLinear | undefined

/** The one that ships, read once a process: the expert and the stream's monitor share its table. Throws `MODEL` when it is missing or damaged. */
export function readLinear(): LoadedLinear {
  shipped ??= readLinearIn(linearFolder)
  return shipped
}

/** Throws `MODEL` when the artifact is missing or damaged. */
export function readLinearIn(folder: string): LoadedLinear {
  const manifest = readManifest(join(folder, 'manifest.json'), LinearManifest)
  const bytes = brotliDecompressSync(readWeights(join(folder, manifest.file), manifest.sha256))
  const columns = manifest.heads.reduce((sum, head) => sum + head.labels, 0)
  const expected = bucketCount(manifest.ngrams) * (columns + 1)
  if (bytes.length !== expected)
    throw new AppError(
      'MODEL',
      `The model in ${folder} has ${bytes.length} bytes where its manifest describes ${expected}.`,
    )
  const table = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  return { manifest, parameters: { ngrams: manifest.ngrams, heads: manifest.heads, table } }
}

export function createLinearExpert({ manifest, parameters }: LoadedLinear): Expert {
  const model = new LinearModel(parameters)
  return {
    name: manifest.name,
    version: manifest.version,
    tasks: parameters.heads.map(({ task }) => task),
    classify: async (batch) =>
      batch.map(({ kind, text, title }) => model.probabilities(cleanOpening(text, title), kind)),
    close: async () => {},
  }
}
