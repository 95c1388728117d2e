/**
 * Whether a member of a group still gets what the log holds. kafkajs can stop delivering without an error, mostly after rebalances:
 * nothing but the offsets shows it. Pure: readings over time in, what is wrong with the member out.
 *
 * A partition is, at each reading,
 * - *unknown*: its end could not be asked. That is no progress and no stall, and what stood before says nothing afterwards;
 * - *caught up*, *paused*, or *busy* (a batch is in hand, and how long that takes is the handler's affair);
 * - *moving*: the next offset is another than at the last reading;
 * - *behind*: records wait and the next offset stands. Standing for longer than allowed is a *stall*.
 * The member is *crashed* when its client gave up, *unassigned* when it has waited too long for partitions, *stalled* when one of its
 * partitions is. Each is a reason to replace it. What is allowed doubles with every replacement that brought nothing, so that a fault
 * outside of the client is not answered with rebalances all the time. A replacement was worth it when the partitions that stalled got
 * further than ever, or have nothing left to read, or went to others, and the member then worked for `settleMs`.
 *
 * Time is counted in steps between readings, none longer than `maxStepMs`: a process that was suspended did not watch meanwhile.
 */

export interface PartitionReading {
  readonly topic: string
  readonly partition: number
  /** The offset that is delivered next. */
  readonly next: number
  /** `undefined`: it could not be asked. */
  readonly end: number | undefined
  readonly busy: boolean
  readonly paused: boolean
}

export interface MemberReading {
  /** `undefined` while the member waits for an assignment; empty when it was given no partition. */
  readonly assigned: readonly PartitionReading[] | undefined
  /** Its client gave up and does not start again by itself. */
  readonly crashed: boolean
}

export interface WatchLimits {
  /** A partition may stand this long behind its end. */
  readonly stallMs: number
  /** A member may wait this long for an assignment: others of the group may hold a rebalance up. */
  readonly assignmentMs: number
  /** Between a crash and the second replacement; the first follows at once. */
  readonly crashMs: number
  /** A member that works this long ends the row of replacements. */
  readonly settleMs: number
  /** The most that is counted between two readings. */
  readonly maxStepMs: number
  /** Doublings of what is allowed end here. */
  readonly maxDoublings: number
}

export type PartitionState =
  | 'unknown'
  | 'caught-up'
  | 'paused'
  | 'busy'
  | 'moving'
  | 'behind'
  | 'stalled'

export interface PartitionWatch {
  readonly topic: string
  readonly partition: number
  readonly state: PartitionState
  readonly next: number
  /** Records between `next` and the end. `undefined`: not known, never 0. */
  readonly lag: number | undefined
  /** How long it has been behind, or unknown, at this offset. */
  readonly standingMs: number
}

export type Fault = 'crashed' | 'unassigned' | 'stalled'

export interface Watch {
  readonly at: number
  readonly partitions: readonly PartitionWatch[]
  /** How long the member has been crashed or without an assignment. */
  readonly waitingMs: number
  readonly fault: Fault | undefined
  /** Replacements in a row. */
  readonly fruitless: number
  /** Partitions that stalled and have not got further since: their furthest offset. A new member begins a little before it. */
  readonly suspects: ReadonlyMap<string, number>
  /** How long the member has worked since the last replacement. */
  readonly workingMs: number
  /** How long members have crashed, waited or stalled without one working in between. */
  readonly brokenMs: number
}

export function beginWatch(now: number): Watch {
  return {
    at: now,
    partitions: [],
    waitingMs: 0,
    fault: undefined,
    fruitless: 0,
    suspects: new Map(),
    workingMs: 0,
    brokenMs: 0,
  }
}

/** The watch after one more reading. */
export function look(
  before: Watch,
  reading: MemberReading,
  now: number,
  limits: WatchLimits,
): Watch {
  const stepMs = Math.max(0, Math.min(now - before.at, limits.maxStepMs))
  const allowance = 2 ** Math.min(before.fruitless, limits.maxDoublings)
  const waits = reading.crashed || reading.assigned === undefined
  const partitions = (reading.assigned ?? []).map((of) =>
    lookAt(of, before.partitions.find(same(of)), stepMs, limits.stallMs * allowance),
  )
  const suspects = waits ? before.suspects : stillSuspect(before.suspects, partitions)
  const broken = waits || suspects.size > 0
  const waitingMs = waits ? before.waitingMs + stepMs : 0
  const workingMs = broken ? 0 : before.workingMs + stepMs
  return {
    at: now,
    partitions,
    waitingMs,
    fault: faultOf(reading, partitions, waitingMs, before.fruitless, limits),
    fruitless: workingMs >= limits.settleMs ? 0 : before.fruitless,
    suspects,
    workingMs,
    brokenMs: broken ? before.brokenMs + stepMs : 0,
  }
}

/** The watch of the member that takes the place of the one watched so far. */
export function afterReplacement(before: Watch, now: number): Watch {
  const suspects = new Map(before.suspects)
  const stalled = before.partitions.filter(({ state }) => state === 'stalled')
  for (const { topic, partition, next } of stalled) {
    const key = keyOf(topic, partition)
    suspects.set(key, Math.max(next, suspects.get(key) ?? 0))
  }
  const standingMs = stalled.map((partition) => partition.standingMs)
  return {
    ...beginWatch(now),
    fruitless: before.fruitless + 1,
    suspects,
    brokenMs: Math.max(before.brokenMs, ...standingMs),
  }
}

function lookAt(
  reading: PartitionReading,
  before: PartitionWatch | undefined,
  stepMs: number,
  allowedMs: number,
): PartitionWatch {
  const { topic, partition, next, end } = reading
  const lag = end === undefined ? undefined : Math.max(0, end - next)
  const state = stateOf(reading, lag, before)
  const standingMs = before !== undefined && stands(state, before) ? before.standingMs + stepMs : 0
  const stalled = state === 'behind' && standingMs > allowedMs
  return { topic, partition, next, lag, standingMs, state: stalled ? 'stalled' : state }
}

function stateOf(
  { next, busy, paused }: PartitionReading,
  lag: number | undefined,
  before: PartitionWatch | undefined,
): PartitionState {
  if (lag === undefined) return 'unknown'
  if (lag === 0) return 'caught-up'
  if (busy) return 'busy'
  if (paused) return 'paused'
  return before !== undefined && before.next !== next ? 'moving' : 'behind'
}

function stands(state: PartitionState, before: PartitionWatch): boolean {
  if (state === 'unknown') return before.state === 'unknown'
  return state === 'behind' && (before.state === 'behind' || before.state === 'stalled')
}

function faultOf(
  reading: MemberReading,
  partitions: readonly PartitionWatch[],
  waitingMs: number,
  fruitless: number,
  limits: WatchLimits,
): Fault | undefined {
  const doublings = Math.min(fruitless, limits.maxDoublings)
  if (reading.crashed)
    return fruitless === 0 || waitingMs >= limits.crashMs * 2 ** (doublings - 1)
      ? 'crashed'
      : undefined
  if (reading.assigned === undefined)
    return waitingMs > limits.assignmentMs * 2 ** doublings ? 'unassigned' : undefined
  return partitions.some(({ state }) => state === 'stalled') ? 'stalled' : undefined
}

/** Without those that got further than ever, have nothing left to read, or went to other members. */
function stillSuspect(
  suspects: Watch['suspects'],
  partitions: readonly PartitionWatch[],
): Watch['suspects'] {
  const held = new Map(partitions.map((of) => [keyOf(of.topic, of.partition), of]))
  return new Map(
    [...suspects].filter(([key, stoodAt]) => {
      const now = held.get(key)
      return now !== undefined && now.state !== 'caught-up' && now.next <= stoodAt
    }),
  )
}

const keyOf = (topic: string, partition: number): string => `${topic}/${partition}`

const same =
  (one: PartitionReading) =>
  (other: PartitionWatch): boolean =>
    one.topic === other.topic && one.partition === other.partition
