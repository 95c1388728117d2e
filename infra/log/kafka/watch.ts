/**
 * Whether a member of a group still gets what the log holds. A client can stop delivering without an error, kafkajs mostly after
 * rebalances: nothing but the offsets shows it. Pure: readings over time in, what is wrong with the member out.
 *
 * A partition is, at each reading,
 * - *busy*: it has no start yet, or records that were delivered are not handled, and how long that takes is the handler's affair;
 * - *paused*: we asked the client to deliver nothing;
 * - *unknown*: its end could not be asked. That is no progress and no stall, and what stood before says nothing afterwards;
 * - *caught up*, or *moving*: other records were delivered since the last reading;
 * - *behind*: records wait and none was delivered. For longer than allowed, that is a *stall*.
 *
 * A member is replaced when one of its partitions stalls, or when it is *unassigned* for too long: the broker has not told it of any
 * partitions, or has not been heard of. While it is joining nothing can be replaced. What is allowed doubles with every replacement that
 * brought nothing, so that a fault outside of the client is not answered with rebalances all the time. A replacement was worth it when the
 * partitions that stalled got further than ever, or have nothing left to read, or went to others, and the member then worked for
 * `settleMs`.
 *
 * Time is counted in steps between readings, none longer than `maxStepMs`: a process that was suspended did not watch meanwhile.
 */

export interface PartitionReading {
  readonly topic: string
  readonly partition: number
  /** The offset that is delivered next; `undefined` before the start is known. */
  readonly next: number | undefined
  /** All below is handled; `undefined` before the start is known. */
  readonly handled: number | undefined
  /** `undefined`: it could not be asked. */
  readonly end: number | undefined
  readonly paused: boolean
}

/** The partitions that the member has, maybe none. */
export type MemberReading = 'joining' | 'unassigned' | readonly PartitionReading[]

export interface WatchLimits {
  /** A partition may stand this long behind its end. */
  readonly stallMs: number
  /** A member may be without an assignment this long: others of the group may hold a rebalance up. */
  readonly assignmentMs: number
  /** A member that works this long ends the row of replacements. */
  readonly settleMs: number
  /** The most that is counted between two readings. */
  readonly maxStepMs: number
  /** Doublings of what is allowed end here. */
  readonly maxDoublings: number
}

export type PartitionState =
  | 'busy'
  | 'paused'
  | 'unknown'
  | 'caught-up'
  | 'moving'
  | 'behind'
  | 'stalled'

export interface PartitionWatch {
  readonly topic: string
  readonly partition: number
  readonly state: PartitionState
  readonly next: number | undefined
  /** Records between what is handled and the end. `undefined`: not known, never 0. */
  readonly lag: number | undefined
  /** How long it has been behind, or unknown, at this offset. */
  readonly standingMs: number
}

export type Fault = 'unassigned' | 'stalled'

export interface Watch {
  readonly at: number
  readonly partitions: readonly PartitionWatch[]
  /** How long the member has been without an assignment. */
  readonly unassignedMs: number
  readonly fault: Fault | undefined
  /** Replacements in a row. */
  readonly fruitless: number
  /** Partitions that stalled and have not got further since: their furthest offset. A new member begins a little before it. */
  readonly suspects: ReadonlyMap<string, number>
  /** How long the member has worked since the last replacement. */
  readonly workingMs: number
  /** How long members have joined, waited or stalled without one working in between. */
  readonly brokenMs: number
}

export function beginWatch(now: number): Watch {
  return {
    at: now,
    partitions: [],
    unassignedMs: 0,
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
  const isAssigned = typeof reading !== 'string'
  const partitions = isAssigned
    ? reading.map((of) =>
        lookAt(of, before.partitions.find(same(of)), stepMs, limits.stallMs * allowance),
      )
    : []
  const suspects = isAssigned ? stillSuspect(before.suspects, partitions) : before.suspects
  const isBroken = !isAssigned || suspects.size > 0
  const works = !partitions.some(({ state, standingMs }) => state === 'stalled' || standingMs > 0)
  const workingMs = isBroken ? 0 : before.workingMs + (works ? stepMs : 0)
  const unassignedMs = reading === 'unassigned' ? before.unassignedMs + stepMs : 0
  return {
    at: now,
    partitions,
    unassignedMs,
    fault: faultOf(partitions, unassignedMs > limits.assignmentMs * allowance),
    fruitless: workingMs >= limits.settleMs ? 0 : before.fruitless,
    suspects,
    workingMs,
    brokenMs: isBroken ? before.brokenMs + stepMs : 0,
  }
}

/** The watch of the member that takes the place of the one watched so far. */
export function afterReplacement(before: Watch, now: number): Watch {
  const suspects = new Map(before.suspects)
  const stalled = before.partitions.filter(({ state }) => state === 'stalled')
  for (const { topic, partition, next } of stalled) {
    const key = keyOf(topic, partition)
    suspects.set(key, Math.max(next ?? 0, suspects.get(key) ?? 0))
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
  const { topic, partition, next, handled, end } = reading
  const lag = end === undefined || handled === undefined ? undefined : Math.max(0, end - handled)
  const state = stateOf(reading, before)
  const standingMs = before !== undefined && stands(state, before) ? before.standingMs + stepMs : 0
  const stalled = state === 'behind' && standingMs > allowedMs
  return { topic, partition, next, lag, standingMs, state: stalled ? 'stalled' : state }
}

function stateOf(
  { next, handled, end, paused }: PartitionReading,
  before: PartitionWatch | undefined,
): PartitionState {
  if (next === undefined || handled !== next) return 'busy'
  if (paused) return 'paused'
  if (end === undefined) return 'unknown'
  if (end <= next) return 'caught-up'
  return before !== undefined && before.next !== next ? 'moving' : 'behind'
}

function stands(state: PartitionState, before: PartitionWatch): boolean {
  if (state === 'unknown') return before.state === 'unknown'
  return state === 'behind' && (before.state === 'behind' || before.state === 'stalled')
}

function faultOf(partitions: readonly PartitionWatch[], isUnassigned: boolean): Fault | undefined {
  if (isUnassigned) return 'unassigned'
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
      return now !== undefined && now.state !== 'caught-up' && (now.next ?? 0) <= stoodAt
    }),
  )
}

const keyOf = (topic: string, partition: number): string => `${topic}/${partition}`

const same =
  (one: PartitionReading) =>
  (other: PartitionWatch): boolean =>
    one.topic === other.topic && one.partition === other.partition
