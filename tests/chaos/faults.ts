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

/** Faults after which the life goes on. */
export const passing: Kinds = {
  'lost-answer': { action: 'lose-answer', point: 'inserting' },
  'lost-insert': { action: 'refuse', point: 'inserting' },
  'poisoned-token': { action: 'poison-token', point: 'inserting' },
  'slow-store': { action: 'delay', point: 'inserting', amount: [20, 150] },
  'slow-expert': { action: 'delay', point: 'judging', amount: [20, 150] },
  'full-queue': { action: 'overload', point: 'judging', amount: [1, 4] },
  redelivery: { action: 'redeliver', point: 'committed' },
  rewind: { action: 'rewind', point: 'assigned', nth: 1, amount: [1, 60] },
  'process-clock': { action: 'process-clock', point: 'judging', amount: [-dayMs, dayMs] },
  'log-clock': { action: 'log-clock', point: 'judging', amount: [-dayMs, dayMs] },
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

/** Faults that end a life. */
export const fatal: Kinds = {
  ...deathsAt('kill'),
  ...deathsAt('crash'),
  [atRandom]: { action: 'kill', point: 'assigned', amount: [0, 700] },
  'zombie-insert': { action: 'hold', point: 'inserting' },
}

export const isFault = (name: string): boolean => name in passing || name in fatal
