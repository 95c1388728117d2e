/** What the runner and the process of a pipeline say to each other: a JSON document a line. */
import type { NewRecord, Position } from '../../../infra/log/log.ts'
import type { Breakage } from '../breakage.ts'
import type { Fault } from '../faults.ts'
import type { StoredRow } from '../history.ts'

export type LogPlace =
  | { readonly kind: 'embedded'; readonly path: string }
  | { readonly kind: 'kafka'; readonly broker: string; readonly topicPrefix: string }

export type StorePlace =
  | { readonly kind: 'embedded'; readonly path: string }
  | { readonly kind: 'server'; readonly url: string }

/** Everything a life is made from. */
export interface LifeOrder {
  readonly log: LogPlace
  readonly store: StorePlace
  readonly logTopic: string
  readonly partitions: number
  readonly batchRecords: number
  readonly flushMs: number
  readonly deduplicationWindow: number
  /** How much of the log the pipeline takes in hand before it pauses. */
  readonly holdBytes: number
  readonly faults: readonly Fault[]
  readonly breakage: Breakage | undefined
}

export type Command =
  | { readonly do: 'open'; readonly order: LifeOrder }
  | { readonly do: 'append'; readonly id: number; readonly records: readonly NewRecord[] }
  /** Wait until everything in the log is stored. */
  | { readonly do: 'drain' }
  /** As a user stops a monitor. */
  | { readonly do: 'stop' }
  /** Let go of held inserts, and write what the table and the log hold into the file, an `Inspection`. */
  | {
      readonly do: 'inspect'
      readonly order: LifeOrder
      readonly quietPath: string
      readonly file: string
    }

export interface Inspection {
  readonly rows: readonly StoredRow[]
  /** Of the same log, stored once more without faults. */
  readonly quiet: readonly StoredRow[]
  readonly letters: readonly string[]
  readonly ends: readonly number[]
}

export type Answer =
  | { readonly said: 'opened' }
  | { readonly said: 'appended'; readonly id: number; readonly positions: readonly Position[] }
  | { readonly said: 'drained' }
  | { readonly said: 'stopped' }
  | { readonly said: 'crashed' }
  | { readonly said: 'inspected' }
  /** A fault has struck. */
  | { readonly said: 'struck'; readonly fault: string }
  /** Something that must not happen. */
  | { readonly said: 'failed'; readonly why: string }
