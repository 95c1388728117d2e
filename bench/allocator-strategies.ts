/** The strategies that are compared, as players of a stream. */
import { draw } from '../infra/position-draw.ts'
import type { Allocator } from '../pipeline/allocator/allocator.ts'
import { createBudget } from '../pipeline/allocator/budget.ts'
import { createCalibration, readFusion } from '../pipeline/allocator/calibration.ts'
import type { TaskWeights } from '../pipeline/allocator/cascade.ts'
import { createDynamicAllocator } from '../pipeline/allocator/dynamic.ts'
import { createGains, readCascade } from '../pipeline/allocator/gain.ts'
import type { Judgement } from '../pipeline/allocator/judgement.ts'
import type { Budget, Costs } from '../pipeline/allocator/price.ts'
import { createStaticAllocator, type StaticWeights } from '../pipeline/allocator/static.ts'
import { WeightFold } from '../pipeline/allocator/weights/fold.ts'
import type { WeightBook } from '../pipeline/allocator/weights.ts'
import type { Expert } from '../pipeline/experts/expert.ts'
import type { FeedbackRecord } from '../pipeline/feedback/record.ts'
import type { Player } from './allocator-play.ts'
import type { LabelledPost } from './allocator-stream.ts'

const { reference_weights, temperatures } = readFusion()
export const weights: StaticWeights = reference_weights
const gains = createGains(readCascade())
const calibration = createCalibration(temperatures)

/** Of one core of a machine at rest: `minilm` reads 492 texts of 20 tokens a second, `linear` 25,000, `lexicon` 5,000; a text costs by its length. */
export const msACharacter: Readonly<Record<string, number>> = {
  minilm: 0.0175,
  linear: 0.0004,
  lexicon: 0.0018,
}
/** Every text costs something beside its characters. */
const textCharacters = 20

export const costs: Costs = {
  msOf: (expert, textLength) => (msACharacter[expert] ?? 0) * (textCharacters + textLength),
}

function playerOf(allocator: Allocator): Player {
  return { deps: { allocator, calibration, referenceWeights: weights } }
}

/** Every expert on every post. */
export function everyExpert(experts: readonly Expert[]): Player {
  return playerOf(createStaticAllocator({ experts, weights }))
}

/** On each task that it judges; elsewhere those that judge it. */
export function only(name: string, experts: readonly Expert[]): Player {
  const alone = Object.fromEntries([[name, 1]])
  const only: StaticWeights = { news: alone, comment: alone }
  return playerOf(createStaticAllocator({ experts, weights: only }))
}

export interface CascadeOptions {
  readonly budgetMs: number
  /** Learned from a share of the posts, drawn at random; 0: fixed weights. */
  readonly labelShare?: number
  readonly exploreShare?: number
  /** A tweet is wanted for the task that its label is of, and costs nothing for the other; otherwise all tasks count alike. */
  readonly isOwnTask?: boolean
}

const defaultExploreShare = 0.02

export function cascade(
  experts: readonly Expert[],
  {
    budgetMs,
    labelShare = 0,
    exploreShare = defaultExploreShare,
    isOwnTask = false,
  }: CascadeOptions,
): Player {
  const budget = createBudget({ budgetMs, clock: () => 0 })
  return learning(experts, labelShare, budget, (book) => {
    const allocatorFor = (taskWeights: TaskWeights) =>
      createDynamicAllocator({ experts, book, costs, budget, gains, exploreShare, taskWeights })
    if (!isOwnTask) return allocatorFor({ sentiment: 1, topic: 1 })
    const [ofSentiment, ofTopic] = [
      allocatorFor({ sentiment: 1, topic: 0 }),
      allocatorFor({ sentiment: 0, topic: 1 }),
    ]
    return { plan: (post) => (post.source === 'topics' ? ofTopic : ofSentiment).plan(post) }
  })
}

/** Every expert on every post, with weights learned from labels. */
export function everyExpertLearning(experts: readonly Expert[], labelShare: number): Player {
  const budget = createBudget({ budgetMs: Number.MAX_VALUE, clock: () => 0 })
  return learning(experts, labelShare, budget, (book) =>
    createDynamicAllocator({ experts, book, costs, budget, gains, exploreShare: 1 }),
  )
}

/** A label comes so many posts after its post. */
const labelDelay = 64

function learning(
  experts: readonly Expert[],
  labelShare: number,
  budget: Budget,
  allocatorOf: (book: () => WeightBook) => Allocator,
): Player {
  const fold = new WeightFold({ experts, prior: weights })
  const waiting: FeedbackRecord[][] = []
  let offset = 0
  return {
    ...playerOf(allocatorOf(() => fold.book())),
    budget,
    onJudged(posts, judgements) {
      waiting.push(
        posts.flatMap((labelled, i) => {
          const judgement = judgements[i]
          const isDrawn = draw('label', labelled.post.position) < labelShare
          return isDrawn && judgement ? [recordOf(labelled, judgement, experts, labelShare)] : []
        }),
      )
      if (waiting.length * posts.length <= labelDelay) return
      for (const record of waiting.shift() ?? [])
        fold.fold(Buffer.from(JSON.stringify(record)), offset++)
    },
  }
}

function recordOf(
  { post, task, label, answers }: LabelledPost,
  judgement: Judgement,
  experts: readonly Expert[],
  labelShare: number,
): FeedbackRecord {
  const { negative, neutral, positive } = judgement
  const { source, kind, language, position } = post
  return {
    format: 1,
    post: { ...position, id: `${position.offset}`, version: 1 },
    task,
    label,
    labeller: 'bench',
    origin: 'uniform',
    selectionProbability: labelShare,
    context: { source, kind, language, textLength: post.text.length + post.title.length },
    strategy: 'dynamic',
    fused: task === 'topic' ? judgement.topic_probabilities : [negative, neutral, positive],
    experts: experts.flatMap(({ name, version }) => {
      const probabilities = answers[name]?.[task]
      if (probabilities === undefined) return []
      const ran = judgement['experts.ran'].some(
        (is, i) => is && judgement['experts.name'][i] === name,
      )
      return [{ name, version, probabilities: [...probabilities], ran, shadow: false }]
    }),
  }
}
