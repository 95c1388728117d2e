/** Judges the labelled rows of a file as they come: memory grows by some numbers a row, not by its text (docs/decisions/0058-evaluation.md). */
import type { Post } from '../../ingest/contract.ts'
import type { JudgedPost } from '../allocator/analyst.ts'
import type { Task } from '../contract.ts'
import { type Intake, judgeLines, type NumberedLine } from './judge-lines.ts'
import { JudgedTexts } from './judged-texts.ts'
import { readLabelledRow } from './labelled-row.ts'
import type { Panel } from './panel.ts'

/** The first texts, on which speed is measured. */
const maxSampleTexts = 4_096

export interface Evaluated {
  readonly intake: Intake
  readonly texts: JudgedTexts
  readonly sample: readonly JudgedPost[]
}

/** Rejects with what an expert failed with. */
export async function evaluate(
  lines: AsyncIterable<readonly NumberedLine[]>,
  options: {
    readonly task: Task
    readonly defaultKind: Post['kind']
    /** See judgeLines. */
    readonly onBadRow: 'stop' | 'skip'
    readonly panel: Panel
    onProgress?(line: NumberedLine, intake: Intake): void
  },
): Promise<Evaluated> {
  const { panel, ...rest } = options
  const texts = new JudgedTexts(options.task, panel.judges)
  const sample: JudgedPost[] = []
  const intake = await judgeLines(lines, {
    ...rest,
    read: (bytes) => readLabelledRow(bytes, options),
    judge: (posts) => panel.judge(posts),
    onJudged(row, answers, post) {
      texts.add(row, answers)
      if (sample.length < maxSampleTexts) sample.push(post)
    },
  })
  return { intake, texts, sample }
}
