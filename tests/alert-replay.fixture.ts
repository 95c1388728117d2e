/** The bundled replay as the alert fold sees it, in virtual time: real texts, linker and judgements, no store and no waiting. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { AlertEvent } from '../alerts/contract.ts'
import { AlertFold } from '../alerts/fold.ts'
import { inBuckets } from '../alerts/history.ts'
import { foldOptions } from '../alerts/settings.ts'
import type { MentionRow } from '../alerts/window.ts'
import { loadConfig } from '../infra/config.ts'
import { silentLogger as logger } from '../infra/logger.ts'
import { toStoreTime } from '../infra/store/store-time.ts'
import { createAnalyst } from '../pipeline/allocator/analyst.ts'
import { createCalibration, readFusion } from '../pipeline/allocator/calibration.ts'
import type { Judgement } from '../pipeline/allocator/judgement.ts'
import { createStaticAllocator } from '../pipeline/allocator/static.ts'
import { createLinker } from '../pipeline/entities/link.ts'
import { isLethal } from '../pipeline/experts/expert.ts'
import { loadExperts } from '../pipeline/experts/registry.ts'
import { signature } from '../pipeline/signature.ts'
import { normalisedTokens } from '../pipeline/text/normalise.ts'
import { judgedAtOnce } from '../pipeline/verdicts.ts'

export interface StreamPost {
  readonly id: string
  readonly publishedAt: string
  readonly kind: 'news' | 'comment'
  readonly text: string
  readonly author?: string
  readonly tickers?: readonly string[]
}

/** A post with its mentions, at its time in the source. */
export interface ReplayPost {
  readonly at: number
  readonly mentions: readonly MentionRow[]
}

export const readStream = (file: string): StreamPost[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as StreamPost)

/**
 * What the pipeline would store of these posts, as far as alerts read it: its own linker, experts, fusion and signatures. A post without a known
 * instrument leaves alerts nothing to read, and is not judged.
 */
export async function replayPosts(posts: readonly StreamPost[]): Promise<ReplayPost[]> {
  const linker = createLinker()
  const linked = posts.map((post, offset) => ({
    post,
    offset,
    instruments: linker.link(post, new Date(post.publishedAt)).map(({ instrument }) => instrument),
  }))
  const judgements = await judged(linked.filter(({ instruments }) => instruments.some(isKnown)))
  return linked.map(({ post, offset, instruments }) => {
    const at = Date.parse(post.publishedAt)
    const judgement = judgements.get(offset)
    const mentions =
      judgement === undefined
        ? []
        : instruments.flatMap((instrument, index) =>
            isKnown(instrument) ? [mentionRow(post, offset, judgement, instrument, index + 1)] : [],
          )
    return { at, mentions }
  })
}

const isKnown = (instrument: string): boolean => !instrument.startsWith('unresolved:')

/** By offset. */
async function judged(
  posts: readonly { readonly post: StreamPost; readonly offset: number }[],
): Promise<Map<number, Judgement>> {
  const { pipeline } = loadConfig({ env: {} })
  const experts = await loadExperts(pipeline, { clock: Date.now, logger })
  const analyst = createAnalyst({
    experts,
    allocator: createStaticAllocator({ weights: pipeline.weights, experts }),
    calibration: createCalibration(readFusion().temperatures),
    referenceWeights: pipeline.weights,
    onExpertFailure: (_expert, error) => {
      throw error
    },
  })
  const judgements = new Map<number, Judgement>()
  for (let start = 0; start < posts.length; start += judgedAtOnce.posts) {
    const batch = posts.slice(start, start + judgedAtOnce.posts)
    const found = await analyst.judge(
      batch.map(({ post: { kind, text }, offset }) => ({
        source: 'tweets',
        kind,
        text,
        title: '',
        language: 'en',
        position: { logTopic: 'posts@0', partition: 0, offset },
      })),
    )
    batch.forEach(({ offset }, i) => {
      const judgement = found[i]
      if (judgement === undefined || isLethal(judgement))
        throw new Error(`post ${offset} is not judged`)
      judgements.set(offset, judgement)
    })
  }
  await analyst.close()
  return judgements
}

function mentionRow(
  post: StreamPost,
  offset: number,
  judgement: Judgement,
  instrument: string,
  ordinal: number,
): MentionRow {
  const time = toStoreTime(Date.parse(post.publishedAt))
  return {
    log_topic: 'posts@0',
    partition: 0,
    offset,
    ordinal,
    outcome: 'scored',
    post_id: post.id,
    version: 1,
    source: 'replay',
    status: 'original',
    text: post.text,
    content_hash: createHash('sha256').update(post.text).digest('hex').slice(0, 16),
    author: post.author ?? '',
    history: false,
    signature: signature(normalisedTokens(post.text)),
    instrument,
    negative: judgement.negative,
    'experts.name': judgement['experts.name'],
    'experts.task': judgement['experts.task'],
    'experts.probabilities': judgement['experts.probabilities'],
    published_at: time,
    original_published_at: time,
    appended_at: time,
  }
}

export interface Replay {
  readonly posts: readonly ReplayPost[]
  /** Source times: everything before `liveFrom` is history, `liveFrom` to `liveTo` plays live. */
  readonly liveFrom: number
  readonly liveTo: number
  /** Source seconds in a second. */
  readonly speed: number
  /** Where in a bucket the live part begins, milliseconds. */
  readonly phaseMs: number
}

export interface ReplayEvent {
  readonly event: AlertEvent
  /** Seconds of live play when the bucket of the event ended. */
  readonly afterSeconds: number
}

const bucketMs = 10_000
const epoch = Date.parse('2026-01-01T00:00:00Z')

/** Seeds the baselines, plays, and then lets a minute of silence pass. */
export async function playAlerts(replay: Replay): Promise<ReplayEvent[]> {
  const { posts, liveFrom, liveTo, speed, phaseMs } = replay
  const liveStart = epoch + phaseMs
  const timeOf = (at: number): number => Math.round(liveStart + (at - liveFrom) / speed)
  const fold = new AlertFold(
    foldOptions({ bucketMs }, { instrumentName: (id) => id, publicUrl: () => '' }),
  )
  await fold.seed(
    inBuckets(
      (async function* () {
        for (const { at, mentions } of posts)
          if (at < liveFrom)
            for (const mention of mentions)
              yield { ...mention, history: true, published_at: toStoreTime(timeOf(at)) }
      })(),
      bucketMs,
    ),
  )
  const live = new Map<number, MentionRow[]>()
  for (const { at, mentions } of posts) {
    if (at < liveFrom || at >= liveTo) continue
    const end = bucketEnd(timeOf(at))
    live.set(end, [...(live.get(end) ?? []), ...mentions])
  }
  const events: ReplayEvent[] = []
  for (let end = bucketEnd(liveStart); end <= timeOf(liveTo) + 70_000; end += bucketMs) {
    for (const event of fold.closeBucket(end, live.get(end) ?? []))
      events.push({ event, afterSeconds: (end - liveStart) / 1000 })
  }
  return events
}

const bucketEnd = (time: number): number => (Math.floor(time / bucketMs) + 1) * bucketMs
