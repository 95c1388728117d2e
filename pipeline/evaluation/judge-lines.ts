/** Judges the labelled lines of a file as they come: nothing of a text is kept here once it was judged. */
import type { JudgedPost } from '../allocator/analyst.ts'
import type { Lethal } from '../experts/expert.ts'
import { detectLanguage, isSupportedLanguage } from '../text/language.ts'
import type { PostText, ReadRow } from './labelled-row.ts'

/** As many as the pipeline judges at once. */
export const batchSize = 256
/** Bad rows that are named; the others are counted. */
export const maxListedRows = 20

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

interface Pending<Row> {
  readonly line: number
  readonly row: Row
  readonly post: JudgedPost
}

/**
 * With `stop`, nothing is judged once a bad row was met, but all rows are still checked, to name the bad ones at once.
 * Rejects with what an expert failed with.
 */
export async function judgeLines<Row extends PostText, Answer extends object>(
  lines: AsyncIterable<readonly NumberedLine[]>,
  options: {
    read(bytes: Uint8Array | undefined): ReadRow<Row>
    readonly onBadRow: 'stop' | 'skip'
    /** One answer a post, in order. */
    judge(posts: readonly JudgedPost[]): Promise<readonly (Answer | Lethal)[]>
    onJudged(row: Row, answer: Answer, post: JudgedPost): void
    onProgress?(line: NumberedLine, intake: Intake): void
  },
): Promise<Intake> {
  const intake: Intake = { judged: 0, unlabelled: 0, bad: 0, badRows: [], otherLanguage: 0 }
  let pending: Pending<Row>[] = []

  const refuse = (bad: BadRow) => {
    intake.bad++
    if (intake.badRows.length < maxListedRows) intake.badRows.push(bad)
  }

  async function judgePending(): Promise<void> {
    const batch = pending
    pending = []
    if (intake.bad > 0 && options.onBadRow === 'stop') return
    const answers = await options.judge(batch.map(({ post }) => post))
    for (const [i, { line, row, post }] of batch.entries()) {
      const answer = answers[i]
      if (answer === undefined) throw new RangeError('one answer a text')
      if (isRefusal(answer)) {
        refuse({ line, reason: answer.lethal })
        continue
      }
      options.onJudged(row, answer, post)
      intake.judged++
      if (!isSupportedLanguage(post.language)) intake.otherLanguage++
    }
  }

  for await (const chunk of lines)
    for (const line of chunk) {
      const read = options.read(line.bytes)
      if (read.outcome === 'bad') refuse({ line: line.number, reason: read.reason })
      else if (read.outcome === 'unlabelled') intake.unlabelled++
      else pending.push({ line: line.number, row: read.row, post: toPost(read.row, line.number) })
      if (pending.length === batchSize) await judgePending()
      options.onProgress?.(line, intake)
    }
  if (pending.length > 0) await judgePending()
  return intake
}

function isRefusal<Answer extends object>(answer: Answer | Lethal): answer is Lethal {
  return 'lethal' in answer
}

export function toPost({ kind, text, title }: PostText, offset: number): JudgedPost {
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
