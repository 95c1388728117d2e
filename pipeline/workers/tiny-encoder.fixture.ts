/** An encoder so small that its logits can be computed here: the mean of its tokens' vectors, times a matrix a head. Words are spelt letter by letter. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EncoderManifest } from '../experts/encoder-artifact.ts'
import { encodeModel, float32, float64, int64 } from './onnx.fixture.ts'

const letters = 'abcdefghijklmnopqrstuvwxyz'
const specials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]']
const vocabulary = [...specials, ...letters, ...Array.from(letters, (letter) => `##${letter}`)]
const width = 8
const heads = [
  { task: 'sentiment', output: 'sentiment', labels: 3 },
  { task: 'topic', output: 'topic', labels: 20 },
] as const

export const windowTokens = 16
export const overlapTokens = 4
export const columns = 23

const vector = (id: number) => Array.from({ length: width }, (_, i) => Math.sin(id * 5 + i * 3))
const weights = (labels: number) =>
  Array.from({ length: width }, (_, i) =>
    Array.from({ length: labels }, (_, label) => 3 * Math.cos(i * 7 + label * 11)),
  )

/** Of one window of ids. */
export function expectedLogits(window: ArrayLike<number>): number[] {
  const vectors = Array.from(window, vector)
  const mean = Array.from(
    { length: width },
    (_, i) => vectors.reduce((sum, v) => sum + (v[i] ?? 0), 0) / vectors.length,
  )
  return heads.flatMap(({ labels }) => {
    const rows = weights(labels)
    return Array.from({ length: labels }, (_, label) =>
      mean.reduce((sum, value, i) => sum + value * (rows[i]?.[label] ?? 0), 0),
    )
  })
}

/** Ids of one lower-case word, the special ones included. */
export function idsOf(word: string): number[] {
  const pieces = Array.from(word, (letter, i) => (i === 0 ? letter : `##${letter}`))
  return ['[CLS]', ...pieces, '[SEP]'].map((piece) => vocabulary.indexOf(piece))
}

export interface Build {
  /** No GPU's provider multiplies doubles. */
  readonly products: 'float32' | 'float64'
}

function model({ products }: Build): Buffer {
  const [Values, type] = products === 'float32' ? [Float32Array, float32] : [Float64Array, float64]
  const matrix = (name: string, rows: readonly (readonly number[])[], Kind = Values) => ({
    name,
    shape: [rows.length, rows[0]?.length ?? 0],
    values: Kind.from(rows.flat()),
  })
  const axis = (name: string, value: bigint) => ({
    name,
    shape: [1],
    values: BigInt64Array.of(value),
  })
  return encodeModel({
    inputs: ['input_ids', 'attention_mask'].map((name) => ({
      name,
      type: int64,
      shape: ['texts', 'tokens'],
    })),
    constants: [
      matrix(
        'vectors',
        vocabulary.map((_, id) => vector(id)),
        Float32Array,
      ),
      ...heads.map(({ output, labels }) => matrix(`weights ${output}`, weights(labels))),
      axis('along tokens', 1n),
      axis('last', 2n),
    ],
    nodes: [
      { op: 'Gather', inputs: ['vectors', 'input_ids'], output: 'embedded' },
      { op: 'Cast', inputs: ['attention_mask'], output: 'mask', attributes: { to: float32 } },
      { op: 'Unsqueeze', inputs: ['mask', 'last'], output: 'wide mask' },
      { op: 'Mul', inputs: ['embedded', 'wide mask'], output: 'masked' },
      {
        op: 'ReduceSum',
        inputs: ['masked', 'along tokens'],
        output: 'sum',
        attributes: { keepdims: 0 },
      },
      {
        op: 'ReduceSum',
        inputs: ['mask', 'along tokens'],
        output: 'tokens',
        attributes: { keepdims: 1 },
      },
      { op: 'Div', inputs: ['sum', 'tokens'], output: 'mean' },
      { op: 'Cast', inputs: ['mean'], output: 'factor', attributes: { to: type } },
      ...heads.flatMap(({ output }) => [
        { op: 'MatMul', inputs: ['factor', `weights ${output}`], output: `product ${output}` },
        { op: 'Cast', inputs: [`product ${output}`], output, attributes: { to: float32 } },
      ]),
    ],
    outputs: heads.map(({ output, labels }) => ({
      name: output,
      type: float32,
      shape: ['texts', labels],
    })),
  })
}

function tokenizer(): Buffer {
  const special = (content: string, id: number) => ({
    id,
    content,
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  })
  const piece = (id: string) => ({ SpecialToken: { id, type_id: 0 } })
  const ids = (id: string) => ({ id, ids: [vocabulary.indexOf(id)], tokens: [id] })
  const single = [piece('[CLS]'), { Sequence: { id: 'A', type_id: 0 } }, piece('[SEP]')]
  return Buffer.from(
    JSON.stringify({
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: specials.map(special),
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: {
        type: 'TemplateProcessing',
        single,
        pair: single,
        special_tokens: { '[CLS]': ids('[CLS]'), '[SEP]': ids('[SEP]') },
      },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
      },
    }),
  )
}

/** Writes the artifact; `changes` go over its manifest. */
export function writeTinyEncoder(
  folder: string,
  changes: Partial<EncoderManifest> = {},
  build: Build = { products: 'float32' },
): EncoderManifest {
  mkdirSync(folder, { recursive: true })
  const file = (name: string, bytes: Buffer) => {
    writeFileSync(join(folder, name), bytes)
    return { file: name, sha256: createHash('sha256').update(bytes).digest('hex') }
  }
  const texts = ['up', 'down', 'sideways']
  const rows = texts.map((text) => expectedLogits(idsOf(text)))
  const manifest: EncoderManifest = {
    name: 'tiny',
    version: '1',
    base_model: 'none',
    licence: 'Apache-2.0',
    data: [],
    command: 'none',
    model: file('model.onnx', model(build)),
    tokenizer: file('tokenizer.json', tokenizer()),
    precision: 'float32',
    windowTokens,
    overlapTokens,
    heads: heads.map((head) => ({ ...head, temperatures: { news: 1, comment: 1 } })),
    probe: {
      texts,
      logits: {
        sentiment: rows.map((row) => row.slice(0, 3)),
        topic: rows.map((row) => row.slice(3)),
      },
    },
    metrics: {},
    ...changes,
  }
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
  return manifest
}
