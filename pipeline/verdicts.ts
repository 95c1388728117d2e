/** The steps that turn log records into verdicts: decode, set apart what is broken, find versions, route by language, judge, link. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { chunksWithin } from '../infra/chunks.ts'
import { AppError } from '../infra/errors.ts'
import { inert } from '../infra/inert.ts'
import type { LogRecord } from '../infra/log/log.ts'
import type { PartitionId, Store } from '../infra/store/store.ts'
import { unlessAborted } from '../infra/unless-aborted.ts'
import { decodeRecord, type Post, type RedriveOf } from '../ingest/contract.ts'
import type { Analyst } from './allocator/analyst.ts'
import type { Judgement } from './allocator/judgement.ts'
import type { Cause, Refused } from './dead-letters.ts'
import type { Linker } from './entities/mention.ts'
import { type Call, isLethal, type Lethal } from './experts/expert.ts'
import { drawLabel, type LabelRates } from './feedback/draw.ts'
import { answerApart } from './poison.ts'
import type { Verdict } from './rows.ts'
import { signature } from './signature.ts'
import { detectLanguage, isSupportedLanguage } from './text/language.ts'
import { normalisedTokens } from './text/normalise.ts'
import { decideVersions, type Known, knownVersions } from './versions.ts'

export interface VerdictDeps {
  readonly store: Store
  readonly analyst: Analyst
  readonly linker: Linker
  readonly labelRates: LabelRates
  /** How long posts wait for an expert to begin. */
  readonly withinMs: Readonly<Record<Call['priority'], number>>
  /** Ends the judging: nobody waits for an expert any more. */
  readonly signal: AbortSignal
  /** Whether a post that the log took at that time was to be forgotten. */
  readonly isErased?: (post: Post, appendedAtMs: number) => boolean
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
  readonly redriveOf?: RedriveOf | undefined
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

export interface Judged {
  /** One a record, by offset. */
  readonly verdicts: ReadonlyMap<number, Verdict>
  /** What needs a letter before its verdict is stored. */
  readonly refused: readonly Refused[]
}

/** By offset: what may not be judged. */
export type Causes = ReadonlyMap<number, Cause>

/**
 * One verdict a record, by offset; those of `poison` are dead. Depends only on the records, the table up to the mark, and the experts, so a replay repeats it.
 * Throws NO_EXPERT (retryable) when no expert can run, and the signal's reason once it is aborted: then nothing is written and the log keeps
 * the records.
 */
export async function verdictsOf(
  deps: VerdictDeps,
  place: Place,
  records: readonly LogRecord[],
  poison: Causes = new Map(),
): Promise<Judged> {
  const verdicts: Verdicts = new Map()
  const { decoded, refused } = decode(deps, records, verdicts)
  refused.push(...setApart(decoded, poison, verdicts))
  let posts = decoded.filter(({ record }) => !poison.has(record.offset))
  const ids = [...new Set(posts.map(({ post }) => post.id))]
  const known = await knownVersions(deps.store, place, place.mark, ids)
  while (posts.length > 0) {
    const lethal = await judgeAndLink(deps, place, withVersions(posts, known, verdicts), verdicts)
    if (lethal.size === 0) break
    refused.push(...setApart(posts, lethal, verdicts))
    // A dead text is no version: what comes after it in the batch is decided again as if it were in a batch of its own.
    posts = posts.filter(({ record }) => !lethal.has(record.offset))
  }
  return { verdicts, refused }
}

function decode(
  { isErased }: VerdictDeps,
  records: readonly LogRecord[],
  verdicts: Verdicts,
): { decoded: Decoded[]; refused: Refused[] } {
  const decoded: Decoded[] = []
  const refused: Refused[] = []
  for (const record of records) {
    const result = decodeRecord(record.value, record.timestamp)
    if (!result.ok) refused.push({ record, cause: { class: 'invalid', reason: result.reason } })
    else if (result.erased || isErased?.(result.post, record.timestamp))
      verdicts.set(record.offset, erased(result.post))
    else decoded.push({ record, ...result })
  }
  for (const { record, cause } of refused)
    verdicts.set(record.offset, { outcome: 'dead', reason: cause.reason })
  return { decoded, refused }
}

/** It leaves no letter: that would keep what was to be forgotten. */
function erased({ id, source, kind, publishedAt }: Post): Verdict {
  return { outcome: 'dead', reason: 'erased', post: { id, source, kind, publishedAt, text: '' } }
}

/** The posts that have a cause. */
function setApart(
  posts: readonly Decoded[],
  causes: Causes,
  verdicts: Verdicts,
): readonly Refused[] {
  const dead = posts.flatMap((each) => {
    const cause = causes.get(each.record.offset)
    return cause === undefined ? [] : [{ ...each, cause }]
  })
  for (const { record, post, cause } of dead)
    verdicts.set(record.offset, {
      outcome: 'dead',
      reason: cause.reason,
      post: cause.isBare ? bare(post, record) : post,
    })
  return dead
}

/** What the record is recognised by. */
function bare({ id, source, kind }: Post, { timestamp }: LogRecord): Post {
  return { id, source, kind, text: '', publishedAt: new Date(timestamp).toISOString() }
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

/** Answers why, by offset, for the posts that no expert may read again; the others have their verdict. */
async function judgeAndLink(
  deps: VerdictDeps,
  place: Place,
  versioned: readonly Versioned[],
  verdicts: Verdicts,
): Promise<Causes> {
  const poison = new Map<number, Cause>()
  const unread: Versioned[] = []
  for (const each of versioned) {
    const verdict = verdicts.get(each.record.offset)
    if (verdict?.outcome !== 'scored' && verdict?.outcome !== 'unsupported') unread.push(each)
    else verdicts.set(each.record.offset, { ...verdict, version: each.version })
  }
  for (const turn of turnsOf(unread)) {
    const read = await readTurn(deps, place, turn)
    for (const [index, { record }] of turn.entries()) {
      const each = read[index]
      if (each === undefined) throw new RangeError('one verdict a post')
      if ('class' in each) poison.set(record.offset, each)
      else verdicts.set(record.offset, each)
    }
    await nextTurn()
  }
  return poison
}

/** A post on which a step throws is set apart from the others of its turn. */
async function readTurn(
  deps: VerdictDeps,
  place: Place,
  turn: readonly Versioned[],
): Promise<readonly (Verdict | Cause)[]> {
  const findings = await answerApart(turn, {
    attempt: (part) => judgeTurn(deps, place, part),
    // What failures with a code mean is known: they are of the experts, the store and the log.
    canBePoison: (error) => !(error instanceof AppError || deps.signal.aborted),
    witness,
    textOf: ({ post }) => `${post.title}\n${post.text}`,
  })
  return findings.map((finding) => {
    if ('answer' in finding) return finding.answer
    const { poison: error } = finding
    const name = error instanceof Error ? error.name : typeof error
    return { class: 'judging', reason: `judging it fails: ${inert(name)}`, error }
  })
}

const witness: Versioned = {
  record: { offset: -1, timestamp: 0, key: null, value: Buffer.alloc(0) },
  post: {
    id: 'witness',
    source: 'tickertone',
    kind: 'news',
    text: 'Shares rise after the company reports higher earnings',
    publishedAt: '2020-01-01T00:00:00.000Z',
  },
  version: 1,
}

function turnsOf(versioned: readonly Versioned[]): Generator<readonly Versioned[]> {
  const most = { count: judgedAtOnce.posts, size: judgedAtOnce.characters }
  return chunksWithin(versioned, most, ({ post }) => post.text.length + (post.title?.length ?? 0))
}

/** One verdict a post, in order, or why it may not be read again. */
async function judgeTurn(
  deps: VerdictDeps,
  place: Place,
  turn: readonly Versioned[],
): Promise<(Verdict | Cause)[]> {
  const read = turn.map(recognise)
  const readable = read.filter(({ language }) => isSupportedLanguage(language))
  const judged = new Map<Readable, Verdict | Cause>()
  const answers = await judge(deps, place, readable)
  for (const [index, each] of readable.entries()) {
    const answer = answers[index]
    if (answer === undefined) throw new RangeError('one judgement a post')
    judged.set(each, isLethal(answer) ? causeOf(answer) : scored(deps, place, each, answer))
  }
  return read.map((each) => judged.get(each) ?? { outcome: 'unsupported', ...each })
}

function recognise({ record, post, version }: Versioned): Readable {
  const { language, confidence } = detectLanguage(post.text, post.language)
  return {
    record,
    post,
    version,
    language,
    languageConfidence: confidence,
    signature: signature(normalisedTokens(post.text)),
  }
}

async function judge(
  { analyst, withinMs, signal }: VerdictDeps,
  { logTopic, partition }: Place,
  readable: readonly Readable[],
): Promise<(Judgement | Lethal)[]> {
  if (readable.length === 0) return []
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
  return unlessAborted(judging, signal)
}

function causeOf({ lethal, expert, error }: Lethal): Cause {
  return { class: expert === undefined ? 'lethal' : 'expert', reason: lethal, expert, error }
}

function scored(
  { linker, labelRates }: VerdictDeps,
  { logTopic, partition }: Place,
  { record, ...read }: Readable,
  judgement: Judgement,
): Verdict {
  const { post } = read
  const mentions = linker.link(post, new Date(post.originalPublishedAt ?? post.publishedAt))
  const position = { logTopic, partition, offset: record.offset }
  const draw = drawLabel(labelRates, post, judgement, position)
  return { outcome: 'scored', ...read, judgement, draw, mentions }
}
