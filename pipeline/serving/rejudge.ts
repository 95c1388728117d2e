/** Rows of `analyses` judged again by other experts. What is no scored text keeps its outcome, and so does one that was erased since. */
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, describeError } from '../../infra/errors.ts'
import { offsetsOf } from '../../infra/store/log-order.ts'
import { toStoreTime } from '../../infra/store/store-time.ts'
import type { Post } from '../../ingest/contract.ts'
import type { Analyst, JudgedPost } from '../allocator/analyst.ts'
import type { Judgement } from '../allocator/judgement.ts'
import type { AnalysisRow } from '../contract.ts'
import { type Call, isLethal, type Lethal } from '../experts/expert.ts'

export interface RejudgeDeps {
  readonly analyst: Pick<Analyst, 'judge'>
  /** How long texts wait for an expert to begin. */
  readonly withinMs: number
  /** Ends the work: it rejects with the signal's reason. */
  readonly signal: AbortSignal
  /** Waits until the next texts may be judged; told how long the last ones took. */
  rest(workMs: number): Promise<void>
}

/** Small, so that live posts never wait for more than these. */
const judgedAtOnce = 64
/** An expert that fails comes back, or the re-scoring ends and is resumed later: a row without it would not be what the new set says. */
const maxAttempts = 8
const firstBackoffMs = 500
const maxBackoffMs = 30_000

/** Whole offsets in log order, as they come. Rejects with PROMOTION (retryable) when experts do not come back. */
export async function rejudge(
  deps: RejudgeDeps,
  rows: readonly AnalysisRow[],
  clock: () => number,
): Promise<AnalysisRow[]> {
  const posts = rows.filter(
    ({ ordinal, outcome, text }) => ordinal === 0 && outcome === 'scored' && text !== '',
  )
  const judgements = new Map<number, Judgement | Lethal>()
  for (let start = 0; start < posts.length; start += judgedAtOnce) {
    const batch = posts.slice(start, start + judgedAtOnce)
    const startedAt = clock()
    const judged = await judgeWhole(deps, batch.map(judgedPost))
    for (const [i, { offset }] of batch.entries()) {
      const judgement = judged[i]
      if (judgement !== undefined) judgements.set(offset, judgement)
    }
    await deps.rest(clock() - startedAt)
  }
  const scored_at = toStoreTime(clock())
  return [...offsetsOf(rows)].flatMap((own) =>
    own.map((row) => {
      const judgement = judgements.get(row.offset)
      // Who ends its readers keeps what the former experts said: it cannot be asked again.
      return judgement === undefined || isLethal(judgement)
        ? row
        : { ...row, ...judgement, scored_at }
    }),
  )
}

/** Judged by all experts that the plans name, or not at all. */
async function judgeWhole(
  { analyst, withinMs, signal }: RejudgeDeps,
  posts: readonly JudgedPost[],
): Promise<(Judgement | Lethal)[]> {
  const call: Call = { priority: 'history', withinMs }
  let failure: unknown
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    if (attempt > 0)
      await sleep(Math.min(maxBackoffMs, firstBackoffMs * 2 ** attempt), undefined, { signal })
    signal.throwIfAborted()
    try {
      const judged = await analyst.judge(posts, call)
      if (judged.every((each) => isLethal(each) || !each.degraded)) return judged
      failure = undefined
    } catch (error) {
      if (!(error instanceof AppError && error.retryable)) throw error
      failure = error
    }
  }
  const why = failure === undefined ? 'some of them do not answer' : describeError(failure)
  throw new AppError(
    'PROMOTION',
    `The experts cannot judge the past now: ${why}. Run the command again later: it goes on where it stopped`,
    { retryable: true, cause: failure },
  )
}

function judgedPost(row: AnalysisRow): JudgedPost {
  return {
    source: row.source,
    kind: row.kind as Post['kind'],
    language: row.language,
    text: row.text,
    title: row.title,
    position: { logTopic: row.log_topic, partition: row.partition, offset: row.offset },
  }
}
