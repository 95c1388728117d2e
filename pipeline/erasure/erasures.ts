/**
 * Forgetting posts, so that they stay forgotten.
 *
 * An erasure is recorded as begun before anything is changed, and as done at its end. Its steps empty what they find, so whoever repeats them after a
 * crash (the next start, or the same command) does the same: the records of the log first, then, once what was read from them before is stored, the
 * dead letters, the tables and the alerts. From its beginning on the pipeline stores nothing of a post that the log took before it and that it names, wherever that is read from.
 * Posts that come later are not its concern.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../infra/clock.ts'
import { describeError } from '../../infra/errors.ts'
import { topics } from '../../infra/log/log.ts'
import type { Logger } from '../../infra/logger.ts'
import { countInLog, countKept, type ErasableLog, eraseLetters, eraseRecords } from './log.ts'
import { countRows, type ErasableStore, eraseRows, markLettersErased } from './store.ts'
import { type Erasure, type ErasureView, noCounts, readErasures, saveErasure } from './table.ts'
import { type Claims, isSame, isTargeted, type Named, targetOf } from './target.ts'

export interface ErasureRequest {
  readonly named: Named
  /** '' for any. */
  readonly source: string
  readonly by: string
  readonly note: string
}

export type IsErased = (claims: Claims) => boolean

export interface Erasures {
  /** What would be emptied. */
  dryRun(request: ErasureRequest): Promise<ErasureView>
  /** One at a time. Begun and not done when the pipeline is too far behind; the message says so. */
  erase(request: ErasureRequest): Promise<ErasureView>
  /** Newest first. */
  list(): Promise<ErasureView[]>
  /** Whether something that the log took at that time (milliseconds since 1970) is to be forgotten. */
  isErased(claims: Claims, appendedAtMs: number): boolean
  /** Reads what was recorded, so that `isErased` knows it. */
  load(): Promise<void>
  /** Ends what was begun, in the background. */
  resume(): void
  /** Resolves when nothing is under way: what is begun is resumed at the next start. Idempotent. */
  stop(): Promise<void>
}

export interface ErasuresDeps {
  readonly log: ErasableLog
  readonly store: ErasableStore
  /** The topic `posts` with its epoch. */
  readonly logTopic: string
  /** Whether something stores what the log holds now: otherwise nothing is waited for. */
  readonly isConsumed: boolean
  readonly clock: Clock
  readonly logger: Logger
  /** Empties texts of alerts, answers how many events and snapshots. */
  eraseAlerts(isErased: IsErased): Promise<number>
  /** How long posts of before may take to be stored; 30 s unless told. */
  readonly patienceMs?: number
}

const defaultPatienceMs = 30_000
const pollMs = 50

export function createErasures(deps: ErasuresDeps): Erasures {
  const { store, log, clock, logger } = deps
  const stopping = new AbortController()
  let known: readonly Erasure[] = []
  let inHand: Promise<unknown> = Promise.resolve()

  /** One after another. */
  function next<T>(work: () => Promise<T>): Promise<T> {
    const done = inHand.then(work)
    inHand = done.catch(() => undefined)
    return done
  }

  async function load(): Promise<void> {
    known = await readErasures(store)
  }

  async function begin({ named, source, by, note }: ErasureRequest): Promise<Erasure> {
    await load()
    const open = known.find(
      ({ doneAt, target }) => doneAt === undefined && isSame(target, named, source),
    )
    if (open !== undefined) return open
    const target = targetOf(named, source)
    const erasure: Erasure = {
      id: randomUUID(),
      target,
      begunAt: clock(),
      doneAt: undefined,
      by,
      note,
      counts: noCounts,
    }
    await saveErasure(store, erasure)
    known = [...known, erasure]
    return erasure
  }

  async function carryOut(erasure: Erasure): Promise<Erasure> {
    const { target } = erasure
    const records = await eraseRecords(log, target)
    const isStored = await storedUpToNow(deps, stopping.signal)
    // Not before: a post in hand may leave a letter.
    const origins = await eraseLetters(log, target)
    await markLettersErased(store, origins)
    const counts = {
      rows: await eraseRows(store, 'analyses', target),
      rescoredRows: await eraseRows(store, 'rescored', target),
      alerts: await deps.eraseAlerts((claims) => isTargeted(target, claims)),
      records,
      letters: origins.length,
      keptRecords: await countKept(log, target),
    }
    if (!isStored) return { ...erasure, counts }
    const done = { ...erasure, counts, doneAt: clock() }
    await saveErasure(store, done)
    const { id, by } = done
    logger.info({ id, by, ...counts }, 'posts are forgotten')
    return done
  }

  return {
    async dryRun({ named, source, by, note }) {
      const target = targetOf(named, source)
      const { records, letters } = await countInLog(log, target)
      const counts = {
        ...noCounts,
        rows: await countRows(store, 'analyses', target),
        rescoredRows: await countRows(store, 'rescored', target),
        ...(log.rewrite === undefined ? { keptRecords: records + letters } : { records, letters }),
      }
      const begunAt = clock()
      const dry = { id: '', target, begunAt, doneAt: undefined, by, note, counts }
      return { ...viewOf(dry), state: 'dry run', message: keptWords(dry) }
    },
    erase: (request) => next(async () => viewOf(await carryOut(await begin(request)))),
    async list() {
      return (await readErasures(store)).toReversed().map(viewOf)
    },
    isErased: (claims, appendedAtMs) =>
      known.some(({ begunAt, target }) => appendedAtMs <= begunAt && isTargeted(target, claims)),
    load,
    resume() {
      void next(async () => {
        await load()
        for (const erasure of known) {
          if (erasure.doneAt !== undefined || stopping.signal.aborted) continue
          logger.info({ id: erasure.id }, 'an erasure that was begun goes on')
          await carryOut(erasure)
        }
      }).catch((error: unknown) =>
        logger.error({ error: describeError(error) }, 'an erasure is not done'),
      )
    },
    async stop() {
      stopping.abort()
      await inHand
    },
  }
}

/** Resolves with true when everything is stored that the log holds now. */
async function storedUpToNow(deps: ErasuresDeps, signal: AbortSignal): Promise<boolean> {
  if (!deps.isConsumed) return true
  const { store, log, logTopic, patienceMs = defaultPatienceMs } = deps
  const begins = await log.beginningOffsets(topics.posts)
  const ends = await log.endOffsets(topics.posts)
  const until = performance.now() + patienceMs
  for (const [partition, end] of ends.entries()) {
    // Nothing is stored of a partition before it holds a record again.
    if ((begins[partition] ?? 0) >= end) continue
    while ((await store.mark({ logTopic, partition })) < end - 1) {
      if (signal.aborted || performance.now() > until) return false
      await sleep(pollMs, undefined, { signal }).catch(() => undefined)
    }
  }
  return true
}

export function viewOf(erasure: Erasure): ErasureView {
  const { id, target, begunAt, doneAt, by, note, counts } = erasure
  const isDone = doneAt !== undefined
  return {
    id,
    state: isDone ? 'done' : 'begun',
    post_id: target.postId,
    source: target.source,
    begun_at: new Date(begunAt).toISOString(),
    done_at: isDone ? new Date(doneAt).toISOString() : null,
    by,
    note,
    rows: counts.rows,
    rescored_rows: counts.rescoredRows,
    alerts: counts.alerts,
    records: counts.records,
    letters: counts.letters,
    kept_records: counts.keptRecords,
    message: isDone ? keptWords(erasure) : behind,
  }
}

const behind =
  'Not done: posts that were read before it are not stored yet. Run the same command again; the next start goes on with it too'

function keptWords({ counts: { keptRecords } }: Pick<Erasure, 'counts'>): string {
  if (keptRecords === 0) return ''
  return `Kafka rewrites nothing: ${keptRecords} records and dead letters stay until retention removes them (posts.dead has none)`
}
