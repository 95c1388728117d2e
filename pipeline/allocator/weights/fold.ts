/**
 * Weights and drifts as a fold over `feedback`. The state depends on the model and on the records up to `version` alone: not on how they were batched, on
 * when it was asked, or on the snapshot it was restored from, to the last bit.
 *
 * A label counts once for each (post, version, task, labeller, label), however often it is repeated. A labeller who has another opinion now has a new label,
 * learned from at its own place; the old one is not taken back. Labellers who disagree both count: the weights then follow the mean of their losses.
 * What the experts of the record said is compared with the label, whether they ran live, had effect or were shadows; what the system made of it is not,
 * except to watch its error rate. That one is watched on posts drawn uniformly, each once: others are no sample of the stream.
 */
import { createHash } from 'node:crypto'
import type { Post } from '../../../ingest/contract.ts'
import type { Task } from '../../contract.ts'
import { argmax } from '../../experts/probabilities.ts'
import type { FeedbackRecord } from '../../feedback/record.ts'
import type { WeightBook } from '../weights.ts'
import { createBook } from './book.ts'
import { type ContextNode, contextPath, tilted } from './contexts.ts'
import { type Drift, type DriftRates, type DriftState, noVerdicts, watchDrift } from './drift.ts'
import { hedge } from './hedge.ts'
import { mixtureLosses, type Voice } from './loss.ts'
import { expertDrift, fusedDrift, judgesOf, learning, priorOf, type WeightModel } from './model.ts'
import { readFeedback } from './read-record.ts'
import { SeenLabels } from './seen-labels.ts'

export interface DriftAlarm extends Drift {
  /** Of `feedback`: the label at which it was found. */
  readonly offset: number
  readonly task: Task
  readonly kind: Post['kind']
  /** '' for the fused result. */
  readonly expert: string
}

export interface FoldCounts {
  readonly learned: number
  readonly repeated: number
  /** No records that teach anything: not JSON, another shape, no label of the task, no distributions. */
  readonly skipped: number
}

/** Everything in it. Maps keep the order in which their keys came. */
export interface FoldState {
  readonly version: number
  /** Of the record at `version`: tells a snapshot of another log. '' before the first. */
  readonly digest: string
  readonly counts: FoldCounts
  readonly nodes: Map<string, ContextNode>
  readonly detectors: Map<string, DriftState>
  /** Labels of a task and kind for which the raised share still holds. */
  readonly raised: Map<string, number>
  readonly seen: SeenLabels
}

export class WeightFold {
  readonly #model: WeightModel
  readonly #nodes: Map<string, ContextNode>
  readonly #detectors: Map<string, DriftState>
  readonly #raised: Map<string, number>
  readonly #seen: SeenLabels
  #counts: FoldCounts
  #version: number
  #digest: string
  #book: WeightBook | undefined

  /** Goes on from a state, which is then its own. */
  constructor(model: WeightModel, state: FoldState = emptyState()) {
    this.#model = model
    this.#nodes = state.nodes
    this.#detectors = state.detectors
    this.#raised = state.raised
    this.#seen = state.seen
    this.#counts = state.counts
    this.#version = state.version
    this.#digest = state.digest
  }

  /** Offset of the last record; -1 before the first. */
  get version(): number {
    return this.#version
  }

  get counts(): FoldCounts {
    return this.#counts
  }

  /** For a snapshot, before the next record. */
  get state(): FoldState {
    return {
      version: this.#version,
      digest: this.#digest,
      counts: this.#counts,
      nodes: this.#nodes,
      detectors: this.#detectors,
      raised: this.#raised,
      seen: this.#seen,
    }
  }

  /** The weights as they are now, which stay so. */
  book(): WeightBook {
    this.#book ??= createBook(this.#model, this.#version, new Map(this.#nodes))
    return this.#book
  }

  /** Never throws, whatever the bytes are. Answers the drifts that this label shows. */
  fold(value: Uint8Array, offset: number): readonly DriftAlarm[] {
    this.#version = offset
    this.#digest = recordDigest(value)
    this.#book = undefined
    const record = readFeedback(value)
    if (record === undefined) {
      this.#count('skipped')
      return []
    }
    const { post, task, labeller, label } = record
    if (this.#seen.add(['label', post.id, post.version, task, labeller, label])) {
      this.#count('learned')
      this.#learn(record)
    } else this.#count('repeated')
    // Also a repeated one: what somebody chose to label may be drawn later, and leaving it out would leave out just such posts.
    if (record.origin !== 'uniform' || !this.#seen.add(['post', post.id, post.version, task]))
      return []
    return this.#watch(record, offset)
  }

  #count(what: keyof FoldCounts): void {
    this.#counts = { ...this.#counts, [what]: this.#counts[what] + 1 }
  }

  #learn(record: FeedbackRecord): void {
    const { task, label, context } = record
    const voices = this.#voices(record)
    if (voices.every((voice) => voice === undefined)) return
    const share = this.#spendRaised(`${task}/${context.kind}`)
    const prior = priorOf(this.#model, task, context.kind)
    const equal = prior.map(() => 1 / prior.length)
    for (const key of contextPath({ task, ...context })) {
      const isShared = key === task
      const { labels, weights } = this.#nodes.get(key) ?? {
        labels: 0,
        weights: isShared ? equal : prior,
      }
      const losses = mixtureLosses(isShared ? tilted(prior, weights) : weights, voices, label)
      this.#nodes.set(key, {
        labels: labels + 1,
        weights: hedge(weights, losses, { eta: learning.eta, share }),
      })
    }
  }

  /** The share for one label of a task and kind. */
  #spendRaised(key: string): number {
    const left = this.#raised.get(key) ?? 0
    if (left === 0) return learning.share
    if (left === 1) this.#raised.delete(key)
    else this.#raised.set(key, left - 1)
    return learning.raisedShare
  }

  #voices({ task, experts }: FeedbackRecord): Voice[] {
    return judgesOf(this.#model, task).map(
      ({ name, version }) =>
        experts.find((said) => said.name === name && said.version === version)?.probabilities,
    )
  }

  #watch(record: FeedbackRecord, offset: number): readonly DriftAlarm[] {
    const { task, label, fused, context } = record
    const judges = judgesOf(this.#model, task)
    const watched: readonly (readonly [string, Voice, DriftRates])[] = [
      ['', fused.length === 0 ? undefined : fused, fusedDrift],
      ...this.#voices(record).map(
        (voice, i) => [judges[i]?.name ?? '', voice, expertDrift] as const,
      ),
    ]
    const alarms = watched.flatMap(([expert, voice, rates]): DriftAlarm[] => {
      if (voice === undefined) return []
      const key = `${task}/${context.kind}/${expert}`
      const before = this.#detectors.get(key) ?? noVerdicts
      const { state, drift } = watchDrift(before, argmax(voice) !== label, rates)
      this.#detectors.set(key, state)
      return drift === undefined ? [] : [{ ...drift, offset, task, kind: context.kind, expert }]
    })
    if (alarms.length > 0) this.#raised.set(`${task}/${context.kind}`, learning.raisedLabels)
    return alarms
  }
}

export function recordDigest(value: Uint8Array): string {
  return createHash('sha256').update(value).digest('base64')
}

function emptyState(): FoldState {
  return {
    version: -1,
    digest: '',
    counts: { learned: 0, repeated: 0, skipped: 0 },
    nodes: new Map(),
    detectors: new Map(),
    raised: new Map(),
    seen: new SeenLabels(),
  }
}
