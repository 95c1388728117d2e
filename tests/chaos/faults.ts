/** The faults of chaos runs, by name: where each strikes, and what it does there. */

/** Places in the work of a pipeline that a fault can wait for. */
export const points = [
  'assigned',
  'judging',
  'judged',
  'inserting',
  'inserted',
  'marked',
  'committing',
  'committed',
  'buried',
] as const
export type Point = (typeof points)[number]

/** What ends a life: SIGKILL, or an end of all objects in a process that goes on, while statements are under way. */
export const deaths = ['kill', 'crash'] as const
export type Death = (typeof deaths)[number]

export type Action =
  | Death
  /** SIGSTOP; whoever started the process wakes it. */
  | 'pause'
  /** The insert is on its way when the process dies. */
  | 'kill-under-way'
  | 'crash-under-way'
  /** The process dies, its insert arrives later: when a later life lets it go, or at the end of the run. */
  | 'hold'
  /** Lets go of what earlier lives held back. */
  | 'release'
  /** The insert is done, its answer lost. */
  | 'lose-answer'
  /** The insert never arrives. */
  | 'refuse'
  /** The engine knows the insert's token already, without its rows. */
  | 'poison-token'
  | 'delay'
  /** The expert's queue is full. */
  | 'overload'
  /** The batch is delivered once more. */
  | 'redeliver'
  /** Reading begins before the mark. */
  | 'rewind'
  /** The clock of the pipeline's process, or of the log, jumps. */
  | 'process-clock'
  | 'log-clock'
  | OutsideAction

/** What the runner does itself: to the broker, to the store, and to the connection between store and pipeline. */
export const outsideActions = ['kill-broker', 'kill-store', 'cut-answer', 'cut-request'] as const
export type OutsideAction = (typeof outsideActions)[number]

/** One fault of a life. */
export interface Fault {
  readonly name: string
  readonly action: Action
  readonly point: Point
  /** It strikes at the n-th time, from 1. */
  readonly nth: number
  /** Milliseconds of a delay or jump, offsets of a rewind, times in a row of an overload. */
  readonly amount: number
}

export interface Kind {
  readonly action: Action
  readonly point: Point
  /** 1 to 3 unless told. */
  readonly nth?: number
  /** Range of `amount`; 0 unless told. */
  readonly amount?: readonly [number, number]
}

export type Kinds = Readonly<Record<string, Kind>>

const dayMs = 86_400_000

const slow = [20, 150] as const

/** Faults of any run after which the life goes on. */
const common: Kinds = {
  'poisoned-token': { action: 'poison-token', point: 'inserting' },
  'slow-store': { action: 'delay', point: 'inserting', amount: slow },
  'slow-expert': { action: 'delay', point: 'judging', amount: slow },
  'full-queue': { action: 'overload', point: 'judging', amount: [1, 4] },
  redelivery: { action: 'redeliver', point: 'committed' },
  rewind: { action: 'rewind', point: 'assigned', nth: 1, amount: [1, 60] },
  'process-clock': { action: 'process-clock', point: 'judging', amount: [-dayMs, dayMs] },
}

const deathsAt = (death: Death): Kinds => ({
  [`${death}:assigned`]: { action: death, point: 'assigned', nth: 1 },
  [`${death}:judged`]: { action: death, point: 'judged' },
  [`${death}:inserting`]: { action: death, point: 'inserting' },
  [`${death}:under-way`]: { action: `${death}-under-way`, point: 'inserting', amount: [0, 12] },
  [`${death}:inserted`]: { action: death, point: 'inserted' },
  [`${death}:marked`]: { action: death, point: 'marked' },
  [`${death}:committed`]: { action: death, point: 'committed' },
  [`${death}:buried`]: { action: death, point: 'buried', nth: 1 },
})

/** At a moment after the start instead of a point: `amount` milliseconds. */
export const atRandom = 'kill:random'

export interface FaultSet {
  /** The life goes on after them. */
  readonly passing: Kinds
  /** They end a life. */
  readonly fatal: Kinds
}

const onEmbedded: FaultSet = {
  passing: {
    ...common,
    'lost-answer': { action: 'lose-answer', point: 'inserting' },
    'lost-insert': { action: 'refuse', point: 'inserting' },
    'log-clock': { action: 'log-clock', point: 'judging', amount: [-dayMs, dayMs] },
  },
  fatal: {
    ...deathsAt('kill'),
    ...deathsAt('crash'),
    [atRandom]: { action: 'kill', point: 'assigned', amount: [0, 700] },
    'zombie-insert': { action: 'hold', point: 'inserting' },
  },
}

const onBroker: FaultSet = {
  passing: {
    ...common,
    'answer-cut': { action: 'cut-answer', point: 'inserting' },
    'request-cut': { action: 'cut-request', point: 'inserting' },
    'broker-killed': { action: 'kill-broker', point: 'assigned', amount: [0, 1_500] },
    'store-killed': { action: 'kill-store', point: 'assigned', amount: [0, 1_500] },
  },
  fatal: {
    ...deathsAt('kill'),
    [atRandom]: { action: 'kill', point: 'assigned', amount: [0, 2_500] },
    'zombie:judged': { action: 'pause', point: 'judged' },
    'zombie:inserting': { action: 'pause', point: 'inserting' },
    'zombie:committing': { action: 'pause', point: 'committing' },
  },
}

/** Where a run's log and store are: in the pipeline's process, or on a broker and behind HTTP. */
export const targets = ['embedded', 'broker'] as const
export type Target = (typeof targets)[number]

export const faultSets: Readonly<Record<Target, FaultSet>> = {
  embedded: onEmbedded,
  broker: onBroker,
}

export const isFault = (name: string, target: Target): boolean =>
  name in faultSets[target].passing || name in faultSets[target].fatal

export const isOutside = ({ action }: Fault): boolean =>
  outsideActions.some((outside) => outside === action)
