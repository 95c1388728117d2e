/**
 * What the pool and a worker process say to each other over the IPC channel of `child_process.fork` (serialization 'advanced').
 *
 * The worker loads one artifact, proves its provider, and says `ready` (or `refused`, and ends). Then it answers each `read` with one `done`, in order:
 * the pool sends the next one while the first runs, so that a worker never waits for work. A worker ends when the channel closes.
 */
import type { ErrorCode } from '../../infra/errors.ts'

export const providers = ['cpu', 'cuda', 'webgpu'] as const
export type Provider = (typeof providers)[number]

export interface WorkerOptions {
  /** Of the artifact. */
  readonly folder: string
  readonly provider: Provider
  /** Of one session. */
  readonly threads: number
  /** A batch closes before longest * count passes this; one window alone may. */
  readonly maxBatchTokens: number
  /** A provider must be at least this many times as fast as the CPU. */
  readonly minSpeedup: number
}

export interface TextToRead {
  readonly title: string
  readonly text: string
}

export interface Read {
  readonly type: 'read'
  readonly job: number
  readonly texts: readonly TextToRead[]
}

/** Logits of one text: a row a window, all heads side by side in the manifest's order. */
export interface Reading {
  /** Tokens of each window, special ones included: its share in the text's probabilities. */
  readonly windowTokens: readonly number[]
  /** [windows * sum of labels] */
  readonly logits: Float32Array
}

export interface Ready {
  readonly type: 'ready'
  readonly provider: Provider
  /** Windows a second of a probe batch, with this provider and with the CPU. */
  readonly speed: { readonly provider: number; readonly cpu: number }
  /** Resident memory of the worker, in bytes. */
  readonly memoryBytes: number
}

/** The artifact or the provider cannot be used here; a later worker may find what this one lacked. */
export interface Refused {
  readonly type: 'refused'
  readonly code: ErrorCode
  readonly message: string
}

export interface Done {
  readonly type: 'done'
  readonly job: number
  /** One a text, in order. */
  readonly readings: readonly Reading[]
  /** Tokens that the batches held, and what padding made of them. */
  readonly tokens: { readonly real: number; readonly padded: number }
  readonly batches: number
  /** On the CPU the processor time of all threads, which others on the machine do not add to; on a GPU the time it was held. */
  readonly computeMs: number
  /** Resident memory of the worker, in bytes. */
  readonly memoryBytes: number
}

/** The job failed and the worker lives. */
export interface Failed {
  readonly type: 'failed'
  readonly job: number
  readonly message: string
}

export type ToWorker = Read
export type FromWorker = Ready | Refused | Done | Failed
