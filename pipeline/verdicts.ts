/** The steps that turn log records into verdicts: decode, bury what is broken, find versions, route by language, judge, link. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Log, type LogRecord, topics } from '../infra/log/log.ts'
import type { PartitionId, Store } from '../infra/store/store.ts'
import { deadLetter, decodePost, type Post } from '../ingest/contract.ts'
import type { Analyst } from './allocator/analyst.ts'
import type { Linker } from './entities/mention.ts'
import type { Verdict } from './rows.ts'
import { signature } from './signature.ts'
import { detectLanguage, isSupportedLanguage } from './text/language.ts'
import { normalisedTokens } from './text/normalise.ts'
import { decideVersions, knownVersions } from './versions.ts'

export interface VerdictDeps {
  readonly log: Log
  readonly store: Store
  readonly analyst: Analyst
  readonly linker: Linker
}

/** Where the records stand: their partition, and the highest offset of it that the table holds. */
export interface Place extends PartitionId {
  readonly mark: number
}

/** Judging is synchronous work, about 70 ms for this many: between two turns the process answers requests. */
const judgedAtOnce = 256

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
 * Throws NO_EXPERT (retryable) when no expert can run: then nothing is written and the log keeps the records.
 */
export async function verdictsOf(
  deps: VerdictDeps,
  place: Place,
  records: readonly LogRecord[],
): Promise<ReadonlyMap<number, Verdict>> {
  const verdicts: Verdicts = new Map()
  const decoded = await decodeOrBury(deps.log, place, records, verdicts)
  const versioned = await withVersions(deps.store, place, decoded, verdicts)
  const readable = readableOnes(versioned, verdicts)
  for (let start = 0; start < readable.length; start += judgedAtOnce) {
    await judgeAndLink(deps, place, readable.slice(start, start + judgedAtOnce), verdicts)
    await nextTurn()
  }
  return verdicts
}

/** A broken record is in `posts.dead` before the block that records it: a crash between the two repeats the letter under the same key. */
async function decodeOrBury(
  log: Log,
  place: Place,
  records: readonly LogRecord[],
  verdicts: Verdicts,
): Promise<Decoded[]> {
  const decoded: Decoded[] = []
  const letters: { key: string; value: string }[] = []
  for (const record of records) {
    const result = decodePost(record.value, record.timestamp)
    if (result.ok) {
      decoded.push({ record, post: result.post })
      continue
    }
    const letter = deadLetter(
      { topic: place.logTopic, partition: place.partition, ...record },
      result.reason,
    )
    letters.push({ key: letter.origin, value: JSON.stringify(letter) })
    verdicts.set(record.offset, { outcome: 'dead', reason: result.reason })
  }
  if (letters.length > 0) await log.append(topics.dead, letters)
  return decoded
}

async function withVersions(
  store: Store,
  place: Place,
  decoded: readonly Decoded[],
  verdicts: Verdicts,
): Promise<Versioned[]> {
  const ids = [...new Set(decoded.map(({ post }) => post.id))]
  const known = await knownVersions(store, place, place.mark, ids)
  const posts = decoded.map(({ record, post }) => ({ post, appendedAtMs: record.timestamp }))
  const decisions = decideVersions(posts, known)
  return decoded.flatMap(({ record, post }, index) => {
    const { duplicate, version } = decisions[index] ?? { duplicate: false, version: 1 }
    if (!duplicate) return [{ record, post, version }]
    verdicts.set(record.offset, { outcome: 'duplicate', post, version })
    return []
  })
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

async function judgeAndLink(
  { analyst, linker }: VerdictDeps,
  { logTopic, partition }: Place,
  readable: readonly Readable[],
  verdicts: Verdicts,
): Promise<void> {
  const judgements = await analyst.judge(
    readable.map(({ record, post, language }) => ({
      kind: post.kind,
      language,
      text: post.text,
      title: post.title ?? '',
      position: { logTopic, partition, offset: record.offset },
    })),
  )
  for (const [index, { record, post, ...read }] of readable.entries()) {
    const judgement = judgements[index]
    if (judgement === undefined) throw new RangeError('one judgement a post')
    const mentions = linker.link(post, new Date(post.originalPublishedAt ?? post.publishedAt))
    verdicts.set(record.offset, { outcome: 'scored', post, ...read, judgement, mentions })
  }
}
