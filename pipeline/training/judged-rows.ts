/** The rows that everything after the experts is fitted on, with what each expert says of them while it has not seen them. */
import { readEncoderManifest } from '../experts/encoder-artifact.ts'
import { encoderFolders } from '../experts/registry.ts'
import type { Corpus } from './corpus.ts'
import { outOfFoldFile, readLogits, readOutOfFold } from './encoder-logits.ts'
import { opinionsOfSimpleExperts } from './expert-opinions.ts'
import { type EncoderRow, type FittedEncoder, fitEncoder } from './fit-encoder.ts'
import { type FitRow, fitRows } from './fit-rows.ts'
import type { Judged } from './judged.ts'

export const encoder = 'minilm'
export const encoderFolder = encoderFolders[encoder]

export interface JudgedRows {
  readonly rows: readonly FitRow[]
  /** In the order of the rows. */
  readonly encoderRows: readonly EncoderRow[]
  readonly fittedEncoder: FittedEncoder
  /** In the order of the rows. */
  readonly judged: readonly Judged[]
}

export async function judgeRows(corpus: Corpus): Promise<JudgedRows> {
  const rows = fitRows(corpus)
  const encoderRows = await encoderRowsOf(rows, corpus)
  const fittedEncoder = fitEncoder(readEncoderManifest(encoderFolder), encoderRows)
  const simple = await opinionsOfSimpleExperts(rows, corpus)
  const judged = encoderRows.map((row, i): Judged => {
    const heldOut = fittedEncoder.heldOut.get(row) ?? []
    return { ...row, opinions: { ...simple[i], [encoder]: heldOut } }
  })
  return { rows, encoderRows, fittedEncoder, judged }
}

/** News by the artifact as it is served; comments by models that saw neither them nor near-duplicates of them. */
async function encoderRowsOf(rows: readonly FitRow[], corpus: Corpus): Promise<EncoderRow[]> {
  const outOfFold = readOutOfFold(outOfFoldFile(encoder), corpus.commentFolds)
  const news = rows.filter(({ example }) => example.kind === 'news')
  const readings = await readLogits(
    encoderFolder,
    news.map(({ example }) => example.text),
  )
  const served = new Map(news.map((row, i) => [row, readings[i]?.[row.task]]))
  return rows.map((row) => {
    const { task, example, fold, cluster } = row
    const logits = example.kind === 'news' ? served.get(row) : outOfFold.get(example.id)
    if (logits === undefined) throw new RangeError(`${encoder} says nothing of ${example.id}`)
    return { task, kind: example.kind, label: example[task], fold, cluster, logits }
  })
}
