/** Reads a model from its manifest and checks that its bytes are those the manifest names. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Type, { type Static, type TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { AppError, describeError } from '../../infra/errors.ts'
import { packageRoot } from '../../infra/package-root.ts'

export const modelsFolder = join(packageRoot, 'pipeline/models')

/** What every manifest says, beside the parameters of its kind. */
export const Provenance = Type.Object({
  name: Type.String(),
  version: Type.String(),
  base_model: Type.String(),
  licence: Type.String(),
  data: Type.Array(
    Type.Object({ name: Type.String(), licence: Type.String(), rows: Type.Integer() }),
  ),
  command: Type.String(),
})
export type Provenance = Static<typeof Provenance>

/** Throws `MODEL` when the file is missing, is no JSON, or has another shape. */
export function readManifest<T extends TSchema>(file: string, schema: T): Static<T> {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new AppError('MODEL', `Cannot read the model manifest ${file}: ${describeError(cause)}`, {
      cause,
    })
  }
  if (Value.Check(schema, value)) return value
  const [first] = Value.Errors(schema, value)
  throw new AppError(
    'MODEL',
    `The model manifest ${file} is not valid: ${first?.instancePath ?? '/'} ${first?.message ?? ''}`,
  )
}

/** Throws `MODEL` when the file is missing or its SHA-256 is not the manifest's. */
export function readWeights(file: string, sha256: string): Buffer {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    throw new AppError('MODEL', `Cannot read the model file ${file}: ${describeError(cause)}`, {
      cause,
    })
  }
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found === sha256) return bytes
  throw new AppError(
    'MODEL',
    `The model file ${file} is not the one its manifest names (SHA-256 ${found.slice(0, 12)}, not ${sha256.slice(0, 12)}): restore both from the release.`,
  )
}
