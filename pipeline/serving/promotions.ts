/**
 * Promotion and rollback, one at a time:
 *
 *   checked -> re-scoring -> switching -> done
 *                 |              |
 *                 +--------------+----> failed: the same command goes on where it stopped
 *
 * re-scoring: the posts of the baseline window are judged by the new set, until nearly all are. Nobody sees it.
 * switching: live posts wait at the gate, 30 s at most, while the last few are re-scored; then one record of `control` tells everybody.
 * What the record builds on stands in it: if another change came first it is void, and this one failed.
 */
import { isDeepStrictEqual } from 'node:util'
import Type from 'typebox'
import type { Clock } from '../../infra/clock.ts'
import { AppError, describeError } from '../../infra/errors.ts'
import { type Log, topics } from '../../infra/log/log.ts'
import type { Logger } from '../../infra/logger.ts'
import { readMarks } from '../../infra/store/offsets.ts'
import type { Store } from '../../infra/store/store.ts'
import { unlessAborted } from '../../infra/unless-aborted.ts'
import type { Analyst } from '../allocator/analyst.ts'
import type { ExpertSet, RescoringRecord, ServedRange, ServingRecord } from '../contract.ts'
import type { Expert } from '../experts/expert.ts'
import { type Candidate, checkLabels, labelsWanted, setWith } from './change.ts'
import { overlay } from './coverage.ts'
import type { Gate } from './gate.ts'
import { livePace } from './pace.ts'
import { type IsErasedAt, offsetsSince, type Rescoring, remaining, rescore } from './rescore.ts'
import type { Serving } from './serving.ts'
import { uniformLabels } from './shadow-figures.ts'

export interface PromoteOrder extends Candidate {
  readonly force: boolean
  readonly by: string
  readonly note: string
  /** The baseline window before now. */
  readonly days: number
}

export type RollbackOrder = Pick<PromoteOrder, 'by' | 'note' | 'days'>

export const ChangeProgress = Type.Object({
  action: Type.Enum(['promote', 'rollback']),
  expert: Type.String(),
  state: Type.Enum(['rescoring', 'switching', 'done', 'failed']),
  revision: Type.Integer({ description: '0 until it has its number.' }),
  total: Type.Integer({ description: 'Offsets to re-score.' }),
  left: Type.Integer(),
  error: Type.String({ description: 'Why it failed; empty otherwise.' }),
})
export type ChangeProgress = Type.Static<typeof ChangeProgress>

export interface Promotions {
  /** Begins. Rejects with PROMOTION when it may not be, or another change is under way. */
  promote(order: PromoteOrder): Promise<ChangeProgress>
  rollback(order: RollbackOrder): Promise<ChangeProgress>
  /** Of the change under way, or the last one since the start. */
  progress(): ChangeProgress | undefined
  /** Resolves when no change is under way; none fails by it. */
  settled(): Promise<void>
  /** Ends the change under way, to be resumed by the same command. Idempotent. */
  stop(): Promise<void>
}

export interface PromotionsDeps {
  readonly serving: Serving
  readonly store: Store
  readonly log: Pick<Log, 'endOffsets'>
  readonly logTopic: string
  /** Loaded, whether they vote or not. */
  readonly experts: readonly Pick<Expert, 'name' | 'version'>[]
  /** Whether weights know an expert by its own name. */
  hasWeight(expert: string): boolean
  /** Judges as live posts would be judged by the set. */
  analystFor(set: ExpertSet): Pick<Analyst, 'judge'>
  /** Every batch of live posts passes it. */
  readonly gate: Gate
  readonly withinMs: number
  readonly clock: Clock
  readonly logger: Logger
  readonly rowsAtOnce?: number
  readonly isErased?: IsErasedAt | undefined
  /** Aborted when live posts have waited for long enough, counted from the call. */
  held?(): AbortSignal
}

const dayMs = 86_400_000
/** Offsets that may be left when live posts begin to wait for them. */
const nearlyAll = 256
/** The longest that live posts wait. */
const holdMs = 30_000

/** What a change does, decided before anything is done. */
interface Change
  extends Pick<
    RescoringRecord,
    'action' | 'expert' | 'replaces' | 'set' | 'after' | 'by' | 'note' | 'windowFrom' | 'from'
  > {
  readonly before: ExpertSet
  /** What the new ranges are laid over. */
  readonly coverage: readonly ServedRange[]
  readonly labels: number
  readonly forced: boolean
}

export function createPromotions(deps: PromotionsDeps): Promotions {
  const stopping = new AbortController()
  let progress: ChangeProgress | undefined
  let underWay: Promise<void> | undefined

  const report = (news: Partial<ChangeProgress>): void => {
    if (progress !== undefined) progress = { ...progress, ...news }
  }

  /** Resolves once the change is checked and begun. */
  async function begin(
    action: ChangeProgress['action'],
    plan: () => Promise<Change>,
  ): Promise<ChangeProgress> {
    if (underWay !== undefined)
      throw new AppError('PROMOTION', `A ${progress?.action} of ${progress?.expert} is under way`)
    let end: () => void = () => {}
    underWay = new Promise((resolve) => {
      end = resolve
    })
    const over = () => {
      underWay = undefined
      end()
    }
    try {
      const change = await plan()
      progress = {
        action,
        expert: change.expert,
        state: 'rescoring',
        revision: 0,
        total: 0,
        left: 0,
        error: '',
      }
      void carryOut(change).finally(over)
      return progress
    } catch (error) {
      over()
      throw error
    }
  }

  async function carryOut(change: Change): Promise<void> {
    try {
      await rescoreAndSwitch(change)
      report({ state: 'done', left: 0 })
    } catch (error) {
      report({ state: 'failed', error: describeError(error) })
      deps.logger.error(
        { action: change.action, expert: change.expert, error: describeError(error) },
        'the experts that serve did not change',
      )
    }
  }

  async function rescoreAndSwitch(change: Change): Promise<void> {
    const { signal } = stopping
    const rescoring = await numbered(deps, change, signal)
    const left = await remaining(deps, rescoring)
    report({ revision: rescoring.revision, total: left, left })
    const judging = { ...deps, analyst: deps.analystFor(change.set), signal }
    const pace = livePace({ ...deps, signal })
    const rest = async (workMs: number): Promise<void> => {
      await pace(workMs)
      report({ left: await remaining(deps, rescoring) })
    }
    while ((await remaining(deps, rescoring)) > nearlyAll)
      await rescore({ ...judging, rest }, rescoring)
    report({ state: 'switching' })
    const offset = await switchOver({ ...judging, rest: async () => {} }, change, rescoring)
    await deps.serving.folded(offset, signal)
    if (deps.serving.state().head !== offset)
      throw new AppError('PROMOTION', 'Another change of the serving experts came first')
  }

  /**
   * Resolves with the offset of the record once it is in force, or as soon as live posts have waited for as long as they may: it is in the log
   * then, and the posts that come until it is in force are judged by the former set, as on any other instance.
   */
  async function switchOver(
    judging: Parameters<typeof rescore>[0],
    change: Change,
    rescoring: Rescoring,
  ): Promise<number> {
    const late = deps.held?.() ?? AbortSignal.timeout(holdMs)
    const signal = AbortSignal.any([judging.signal, late])
    let appended: Promise<number> | undefined
    let work: Promise<void> | undefined
    const lastOnes = async (): Promise<void> => {
      await rescore({ ...judging, signal }, rescoring)
      const record = await servingRecord(deps, change, rescoring)
      signal.throwIfAborted()
      appended = deps.serving.append(record)
      await deps.serving.folded(await appended, signal)
    }
    try {
      await deps.gate.close(() => {
        work = lastOnes()
        return work
      }, signal)
    } catch (error) {
      // What was begun when the gate opened is ended before anybody goes on.
      await unlessAborted(work?.catch(() => undefined) ?? Promise.resolve(), judging.signal)
      if (!late.aborted) throw error
    }
    if (appended !== undefined) return appended
    throw new AppError(
      'PROMOTION',
      'The last posts were not re-scored in time, and live posts waited for them: run the command again',
      { retryable: true },
    )
  }

  return {
    promote: (order) => begin('promote', () => promotionOf(deps, order)),
    rollback: (order) => begin('rollback', () => rollbackOf(deps, order)),
    progress: () => progress,
    settled: async () => underWay,
    async stop() {
      stopping.abort()
      await underWay
    },
  }
}

async function promotionOf(deps: PromotionsDeps, order: PromoteOrder): Promise<Change> {
  const { serving, store, logTopic, log, clock, experts } = deps
  const { expert, replaces, force, by, note, days } = order
  const loaded = experts.find(({ name }) => name === expert)
  const before = serving.set()
  const set = setWith(before, order, {
    isLoaded: () => loaded !== undefined,
    hasWeight: deps.hasWeight,
  })
  const labels = loaded === undefined ? 0 : await uniformLabels(store, loaded)
  checkLabels(expert, labels, force)
  const { head, now } = serving.state()
  const windowFrom = clock() - days * dayMs
  const partitions = (await log.endOffsets(topics.posts)).length
  const from = await offsetsSince(store, logTopic, partitions, windowFrom)
  const forced = labels < labelsWanted
  const coverage = now?.coverage ?? []
  return {
    action: 'promote',
    expert,
    replaces,
    set,
    before,
    after: head,
    windowFrom,
    from,
    coverage,
    labels,
    forced,
    by,
    note,
  }
}

async function rollbackOf(
  { serving, clock }: PromotionsDeps,
  { by, note, days }: RollbackOrder,
): Promise<Change> {
  const { head, promotions } = serving.state()
  const last = promotions.at(-1)
  if (last === undefined)
    throw new AppError('PROMOTION', 'Nothing was promoted: there is nothing to roll back')
  const { expert, replaces, before: set, position: from, labels } = last.record
  const windowFrom = clock() - days * dayMs
  const coverage = last.before?.coverage ?? []
  return {
    action: 'rollback',
    expert,
    replaces,
    set,
    before: serving.set(),
    after: head,
    windowFrom,
    from,
    coverage,
    labels,
    forced: false,
    by,
    note,
  }
}

/** The re-scoring of the change: one that was begun and not finished goes on, with the window it had. */
async function numbered(
  deps: PromotionsDeps,
  change: Change,
  signal: AbortSignal,
): Promise<Rescoring> {
  const { serving, logTopic } = deps
  const { action, expert, replaces, set, after, windowFrom, from, by, note } = change
  const begun = serving.state().rescoring
  if (begun !== undefined && isSame(begun.record, { ...change, logTopic }))
    return { logTopic, revision: begun.revision, from: begun.record.from }
  const offset = await serving.append({
    type: 'serving.rescoring',
    action,
    expert,
    replaces,
    set,
    after,
    logTopic,
    windowFrom,
    from: [...from],
    by,
    note,
  })
  await serving.folded(offset, signal)
  return { logTopic, revision: offset + 1, from }
}

type Sameness = Pick<RescoringRecord, 'action' | 'expert' | 'replaces' | 'set' | 'logTopic'>

function isSame(a: Sameness, b: Sameness): boolean {
  const essence = ({ action, expert, replaces, set, logTopic }: Sameness) => [
    action,
    expert,
    replaces,
    set,
    logTopic,
  ]
  return isDeepStrictEqual(essence(a), essence(b))
}

async function servingRecord(
  { store, logTopic }: PromotionsDeps,
  change: Change,
  { revision, from }: Rescoring,
): Promise<ServingRecord> {
  const { action, expert, replaces, set, before, after, windowFrom, labels, forced, by, note } =
    change
  const marks = new Map(
    (await readMarks(store, logTopic)).map(({ partition, mark }) => [partition, mark]),
  )
  const position = from.map((first, partition) => Math.max(first, (marks.get(partition) ?? -1) + 1))
  const ranges = from.map((first, partition) => ({
    logTopic,
    partition,
    from: first,
    to: position[partition] ?? first,
    revision,
  }))
  const coverage = overlay(change.coverage, ranges)
  return {
    type: 'serving',
    action,
    expert,
    replaces,
    set,
    before,
    after,
    logTopic,
    windowFrom,
    revision,
    position,
    coverage,
    labels,
    forced,
    by,
    note,
  }
}
