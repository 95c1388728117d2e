/**
 * Strategy `dynamic`: weights learned from feedback, experts one after another while they are worth their price (cascade.ts), and on a random share of
 * posts all of them at once, so that the experts are compared on posts that look like all posts. Weights, costs, price and draw are taken once a plan.
 */
import { draw } from '../../infra/position-draw.ts'
import type { FusionMethod, Task } from '../contract.ts'
import type { Expert } from '../experts/expert.ts'
import type { AllocationContext, Allocator, Heard, Plan } from './allocator.ts'
import { type Cascade, nextOf, type TaskWeights } from './cascade.ts'
import type { Gains } from './gain.ts'
import type { Budget, Costs } from './price.ts'
import type { WeightBook } from './weights.ts'

export interface DynamicDeps {
  /** In the order of the columns. */
  readonly experts: readonly Pick<Expert, 'name' | 'tasks'>[]
  readonly book: () => WeightBook
  readonly costs: Costs
  readonly budget: Budget
  readonly gains: Gains
  /** Of the posts; none while the price is infinite. */
  readonly exploreShare: number
  readonly fusion?: FusionMethod
  /** Equal by default: a right topic is worth as much as a right sentiment. */
  readonly taskWeights?: TaskWeights
}

const equalTasks: TaskWeights = { sentiment: 1, topic: 1 }

export function createDynamicAllocator(deps: DynamicDeps): Allocator {
  const experts = deps.experts.map(({ name }) => name)
  return { plan: (context) => dynamicPlan(deps, experts, context) }
}

function dynamicPlan(
  deps: DynamicDeps,
  experts: readonly string[],
  context: AllocationContext,
): Plan {
  const { book, costs, budget, gains, exploreShare } = deps
  const { fusion = 'average', taskWeights = equalTasks } = deps
  const { kind, textLength, position } = context
  const { version, weight } = weightsOf(book(), context)
  const cascade: Cascade = {
    kind,
    fusion,
    candidates: deps.experts.map(({ name, tasks }) => ({
      name,
      tasks,
      costMs: costs.msOf(name, textLength),
    })),
    gains,
    taskWeights,
    weight,
  }
  const price = budget.price()
  const normalPrice = budget.normalPrice()
  const exploring = price === Number.POSITIVE_INFINITY ? 0 : exploreShare
  const explores = draw('explore', position) < exploring
  const next = (heard: Heard) =>
    explores ? experts.filter((expert) => !heard.has(expert)) : nextOf(cascade, heard, price)
  return {
    strategy: 'dynamic',
    fusion,
    weightsVersion: version,
    experts,
    shadows: [],
    next,
    weight,
    runProbability(expert, heard) {
      const isAsked = explores
        ? askedByCascade(cascade, heard, price).has(expert)
        : heard.has(expert)
      return isAsked ? 1 : exploring
    },
    isDegraded: (heard) =>
      price > normalPrice &&
      next(heard).length === 0 &&
      nextOf(cascade, heard, normalPrice).length > 0,
  }
}

/** Of one version, looked up once a task. */
function weightsOf(book: WeightBook, { kind, language, textLength }: AllocationContext) {
  const found = new Map<Task, Readonly<Record<string, number>>>()
  return {
    version: book.version,
    weight(expert: string, task: Task): number {
      const weights = found.get(task) ?? book.weights({ task, kind, language, textLength })
      found.set(task, weights)
      return weights[expert] ?? 0
    },
  }
}

/** Of the experts that were heard, those that the cascade would have asked without the draw. */
function askedByCascade(cascade: Cascade, heard: Heard, price: number): ReadonlySet<string> {
  const asked = new Map<string, ReturnType<Heard['get']>>()
  for (;;) {
    const wanted = nextOf(cascade, asked, price).filter((expert) => heard.has(expert))
    if (wanted.length === 0) return new Set(asked.keys())
    for (const expert of wanted) asked.set(expert, heard.get(expert))
  }
}
