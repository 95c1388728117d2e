/** The steps that turn log records into verdicts: decode, bury what is broken, find versions, route by language, judge, link. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Log, LogRecord } from '../infra/log/log.ts'
import type { PartitionId, Store } from '../infra/store/store.ts'
import { unlessAborted } from '../infra/unless-aborted.ts'
import { decodePost, type Post } from '../ingest/contract.ts'
import type { Analyst } from './allocator/analyst.ts'
import { bury, type Refused } from './dead-letters.ts'
import type { Linker } from './entities/mention.ts'
import { type Call, isLethal } from './experts/expert.ts'
import { drawLabel, type LabelRates } from './feedback/draw.ts'
import type { Verdict } from './rows.ts'
import { signature } from './signature.ts'
import { detectLanguage, isSupportedLanguage } from './text/language.ts'
import { normalisedTokens } from './text/normalise.ts'
import { decideVersions, type Known, knownVersions } from './versions.ts'

export interface VerdictDeps {
  readonly log: Log
  readonly store: Store
  readonly analyst: Analyst
  readonly linker: Linker
  readonly labelRates: LabelRates
  /** How long posts wait for an expert to begin. */
  readonly withinMs: Readonly<Record<Call['priority'], number>>
  /** Ends the judging: nobody waits for an expert any more. */
  readonly signal: AbortSignal
}

/** Where the records stand: their partition, and the highest offset of it that the table holds. */
export interface Place extends PartitionId {
  readonly mark: number
}

/**
 * Of a partition, one post at least. Judging is synchronous work in part, about 70 ms for 256 tweets: between two turns the process answers requests.
 * A text of 20,000 characters costs as much as a hundred tweets, here and in a worker.
 */
export const judgedAtOnce = { posts: 256, characters: 131_072 } as const

interface Decoded {
  readonly record: LogRecord
  readonly post: Post
}

interface Versioned extends Decoded {
  readonly version: number
}

interface Readable extends Versioned {
  readonly language: string
  readonly languageConfidence: number
  readonly signature: readonly number[]
}

type Verdicts = Map<number, Verdict>

/**
 * One verdict a record, by offset. Depends only on the records, the table up to the mark, and the experts, so a replay repeats it.
 * Throws NO_EXPERT (retryable) when no expert can run, and the signal's reason once it is aborted: then nothing is written and the log keeps
 * the records.
 */
export async function verdictsOf(
  deps: VerdictDeps,
  place: Place,
  records: readonly LogRecord[],
): Promise<ReadonlyMap<number, Verdict>> {
  const verdicts: Verdicts = new Map()
  let posts = await decodeOrBury(deps.log, place, records, verdicts)
  const ids = [...new Set(posts.map(({ post }) => post.id))]
  const known = await knownVersions(deps.store, place, place.mark, ids)
  while (posts.length > 0) {
    const lethal = await judgeAndLink(deps, place, withVersions(posts, known, verdicts), verdicts)
    if (lethal.size === 0) break
    await buryLethal(deps.log, place, posts, lethal, verdicts)
    // A dead text is no version: what comes after it in the batch is decided again as if it were in a batch of its own.
    posts = posts.filter(({ record }) => !lethal.has(record.offset))
  }
  return verdicts
}

async function decodeOrBury(
  log: Log,
  place: Place,
  records: readonly LogRecord[],
  verdicts: Verdicts,
): Promise<Decoded[]> {
  const decoded: Decoded[] = []
  const refused: Refused[] = []
  for (const record of records) {
    const result = decodePost(record.value, record.timestamp)
    if (result.ok) decoded.push({ record, post: result.post })
    else refused.push({ record, reason: result.reason })
  }
  await bury(log, place, refused)
  for (const { record, reason } of refused) verdicts.set(record.offset, { outcome: 'dead', reason })
  return decoded
}

async function buryLethal(
  log: Log,
  place: Place,
  posts: readonly Decoded[],
  reasons: ReadonlyMap<number, string>,
  verdicts: Verdicts,
): Promise<void> {
  const lethal = posts.flatMap(({ record, post }) => {
    const reason = reasons.get(record.offset)
    return reason === undefined ? [] : [{ record, post, reason }]
  })
  await bury(log, place, lethal)
  for (const { record, post, reason } of lethal)
    verdicts.set(record.offset, { outcome: 'dead', reason, post })
}

function withVersions(
  posts: readonly Decoded[],
  known: ReadonlyMap<string, Known>,
  verdicts: Verdicts,
): Versioned[] {
  const decisions = decideVersions(
    posts.map(({ record, post }) => ({ post, appendedAtMs: record.timestamp })),
    new Map(known),
  )
  return posts.flatMap(({ record, post }, index) => {
    const { duplicate, version } = decisions[index] ?? { duplicate: false, version: 1 }
    if (!duplicate) return [{ record, post, version }]
    verdicts.set(record.offset, { outcome: 'duplicate', post, version })
    return []
  })
}

/** Answers why, by offset, for the posts whose text no expert may read again; the others have their verdict. */
async function judgeAndLink(
  deps: VerdictDeps,
  place: Place,
  versioned: readonly Versioned[],
  verdicts: Verdicts,
): Promise<Map<number, string>> {
  const lethal = new Map<number, string>()
  const unread: Versioned[] = []
  for (const each of versioned) {
    const verdict = verdicts.get(each.record.offset)
    if (verdict?.outcome !== 'scored' && verdict?.outcome !== 'unsupported') unread.push(each)
    else verdicts.set(each.record.offset, { ...verdict, version: each.version })
  }
  for (const turn of turnsOf(unread)) {
    for (const [offset, reason] of await judgeTurn(
      deps,
      place,
      readableOnes(turn, verdicts),
      verdicts,
    ))
      lethal.set(offset, reason)
    await nextTurn()
  }
  return lethal
}

function* turnsOf(versioned: readonly Versioned[]): Generator<readonly Versioned[]> {
  let turn: Versioned[] = []
  let characters = 0
  for (const each of versioned) {
    const length = each.post.text.length + (each.post.title?.length ?? 0)
    const isFull =
      turn.length === judgedAtOnce.posts || characters + length > judgedAtOnce.characters
    if (turn.length > 0 && isFull) {
      yield turn
      turn = []
      characters = 0
    }
    turn.push(each)
    characters += length
  }
  if (turn.length > 0) yield turn
}

function readableOnes(versioned: readonly Versioned[], verdicts: Verdicts): Readable[] {
  return versioned.flatMap(({ record, post, version }) => {
    const { language, confidence } = detectLanguage(post.text, post.language)
    const read = {
      record,
      post,
      version,
      language,
      languageConfidence: confidence,
      signature: signature(normalisedTokens(post.text)),
    }
    if (isSupportedLanguage(language)) return [read]
    verdicts.set(record.offset, { outcome: 'unsupported', ...read })
    return []
  })
}

async function judgeTurn(
  { analyst, linker, labelRates, withinMs, signal }: VerdictDeps,
  { logTopic, partition }: Place,
  readable: readonly Readable[],
  verdicts: Verdicts,
): Promise<Map<number, string>> {
  const priority = readable.every(({ post }) => post.history) ? 'history' : 'live'
  const judging = analyst.judge(
    readable.map(({ record, post, language }) => ({
      source: post.source,
      kind: post.kind,
      language,
      text: post.text,
      title: post.title ?? '',
      position: { logTopic, partition, offset: record.offset },
    })),
    { priority, withinMs: withinMs[priority] },
  )
  const judgements = await unlessAborted(judging, signal)
  const lethal = new Map<number, string>()
  for (const [index, { record, post, ...read }] of readable.entries()) {
    const judgement = judgements[index]
    if (judgement === undefined) throw new RangeError('one judgement a post')
    if (isLethal(judgement)) {
      lethal.set(record.offset, judgement.lethal)
      continue
    }
    const mentions = linker.link(post, new Date(post.originalPublishedAt ?? post.publishedAt))
    const position = { logTopic, partition, offset: record.offset }
    const draw = drawLabel(labelRates, post, judgement, position)
    verdicts.set(record.offset, { outcome: 'scored', post, ...read, judgement, draw, mentions })
  }
  return lethal
}
