/** The artifact of an encoder expert: one ONNX graph with a head a task, its tokenizer, and the manifest that names both. */
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { tasks } from '../contract.ts'
import { Provenance, readManifest } from './artifact.ts'

const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' })
const Temperature = Type.Number({ exclusiveMinimum: 0 })
const Biases = Type.Array(Type.Number())
const File = Type.Object({ file: Type.String(), sha256: Sha256 })

export const EncoderManifest = Type.Intersect([
  Provenance,
  Type.Object({
    /** Inputs `input_ids` and `attention_mask`, int64 [texts, tokens]; one output [texts, labels] of logits a head, float32. */
    model: File,
    /** A Hugging Face tokenizer.json without truncation and padding. */
    tokenizer: File,
    precision: Type.Enum(['int8', 'float16', 'float32']),
    /** A longer text is read in windows of this many tokens, special ones included. */
    windowTokens: Type.Integer({ minimum: 8 }),
    /** Tokens that a window shares with the one before it. */
    overlapTokens: Type.Integer({ minimum: 0 }),
    heads: Type.Array(
      Type.Object({
        task: Type.Enum(tasks),
        /** Name of the graph's output. */
        output: Type.String(),
        labels: Type.Integer({ minimum: 2 }),
        temperatures: Type.Object({ news: Temperature, comment: Temperature }),
        /** One a label, or none: see logit-map.ts. */
        biases: Type.Optional(Type.Object({ news: Biases, comment: Biases })),
      }),
    ),
    /** Cleaned texts and the logits, one row a text by output name, that this artifact gave where it was made: a machine that computes something else is found out. */
    probe: Type.Object({
      texts: Type.Array(Type.String(), { minItems: 1 }),
      logits: Type.Record(Type.String(), Type.Array(Type.Array(Type.Number()))),
    }),
    /** Printed by the commands that made it; read by people only. */
    metrics: Type.Record(Type.String(), Type.Unknown()),
  }),
])
export type EncoderManifest = Static<typeof EncoderManifest>

/** Throws `MODEL` when the manifest is missing or damaged. The files it names are checked by who loads them. */
export function readEncoderManifest(folder: string): EncoderManifest {
  return readManifest(join(folder, 'manifest.json'), EncoderManifest)
}
