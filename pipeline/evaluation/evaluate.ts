/** Judges the labelled rows of a file as they come: memory grows by some numbers a row, not by its text (docs/decisions/0058-evaluation.md). */
import type { Post } from '../../ingest/contract.ts'
import type { JudgedPost } from '../allocator/analyst.ts'
import type { Task } from '../contract.ts'
import { detectLanguage, isSupportedLanguage } from '../text/language.ts'
import { JudgedTexts } from './judged-texts.ts'
import { type LabelledText, readLabelledRow } from './labelled-row.ts'
import type { Panel } from './panel.ts'

/** As many as the pipeline judges at once. */
export const batchSize = 256
/** Bad rows that are named; the others are counted. */
export const maxListedRows = 20
/** The first texts, on which speed is measured. */
const maxSampleTexts = 4_096

export interface NumberedLine {
  /** From 1. */
  readonly number: number
  /** Bytes of the source up to the end of this line. */
  readonly end: number
  /** Undefined when the line is too long to read. */
  readonly bytes: Uint8Array | undefined
}

export interface BadRow {
  readonly line: number
  /** For people; holds nothing of the row. */
  readonly reason: string
}

/** What became of the lines that are not blank. */
export interface Intake {
  judged: number
  /** Without a label of the task. */
  unlabelled: number
  bad: number
  readonly badRows: BadRow[]
  /** Judged, though the pipeline would store them as unsupported. */
  otherLanguage: number
}

export interface Evaluated {
  readonly intake: Intake
  readonly texts: JudgedTexts
  readonly sample: readonly JudgedPost[]
}

interface Pending {
  readonly line: number
  readonly row: LabelledText
  readonly post: JudgedPost
}

/**
 * With `stop`, nothing is judged once a bad row was met, but all rows are still checked, to name the bad ones at once.
 * Rejects with what an expert failed with.
 */
export async function evaluate(
  lines: AsyncIterable<readonly NumberedLine[]>,
  options: {
    readonly task: Task
    readonly defaultKind: Post['kind']
    readonly onBadRow: 'stop' | 'skip'
    readonly panel: Panel
    onProgress?(line: NumberedLine, intake: Intake): void
  },
): Promise<Evaluated> {
  const { task, panel, onBadRow } = options
  const intake: Intake = { judged: 0, unlabelled: 0, bad: 0, badRows: [], otherLanguage: 0 }
  const texts = new JudgedTexts(task, panel.judges)
  const sample: JudgedPost[] = []
  let pending: Pending[] = []

  const refuse = (bad: BadRow) => {
    intake.bad++
    if (intake.badRows.length < maxListedRows) intake.badRows.push(bad)
  }

  async function judgePending(): Promise<void> {
    const batch = pending
    pending = []
    if (intake.bad > 0 && onBadRow === 'stop') return
    const answers = await panel.judge(batch.map(({ post }) => post))
    for (const [i, { line, row, post }] of batch.entries()) {
      const answer = answers[i]
      if (answer === undefined) throw new RangeError('one answer a text')
      if ('lethal' in answer) {
        refuse({ line, reason: answer.lethal })
        continue
      }
      texts.add(row, answer)
      intake.judged++
      if (!isSupportedLanguage(post.language)) intake.otherLanguage++
      if (sample.length < maxSampleTexts) sample.push(post)
    }
  }

  for await (const chunk of lines)
    for (const line of chunk) {
      const read = readLabelledRow(line.bytes, options)
      if (read.outcome === 'bad') refuse({ line: line.number, reason: read.reason })
      else if (read.outcome === 'unlabelled') intake.unlabelled++
      else pending.push({ line: line.number, row: read.row, post: toPost(read.row, line.number) })
      if (pending.length === batchSize) await judgePending()
      options.onProgress?.(line, intake)
    }
  if (pending.length > 0) await judgePending()
  return { intake, texts, sample }
}

export function toPost(
  { kind, text, title }: Omit<LabelledText, 'label'>,
  offset: number,
): JudgedPost {
  const position = { logTopic: 'evaluation', partition: 0, offset }
  return {
    source: 'evaluation',
    kind,
    text,
    title,
    language: detectLanguage(text).language,
    position,
  }
}
