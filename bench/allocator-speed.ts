/** What deciding costs: from the plan to the columns that it fills, with the experts' answers at hand. */
import { createBudget } from '../pipeline/allocator/budget.ts'
import { createDynamicAllocator } from '../pipeline/allocator/dynamic.ts'
import { createGains, readCascade } from '../pipeline/allocator/gain.ts'
import { WeightFold } from '../pipeline/allocator/weights/fold.ts'
import type { Expert, ExpertOutput } from '../pipeline/experts/expert.ts'
import { costs, weights } from './allocator-strategies.ts'
import type { LabelledPost } from './allocator-stream.ts'

const passes = 21

/** Processor time of a post, over passes of the stream after the first one. */
export function allocationMicroseconds(
  stream: readonly LabelledPost[],
  experts: readonly Expert[],
): { readonly median: number; readonly best: number } {
  const fold = new WeightFold({ experts, prior: weights })
  const allocator = createDynamicAllocator({
    experts,
    book: () => fold.book(),
    costs,
    budget: createBudget({ budgetMs: 1, clock: () => 0 }),
    gains: createGains(readCascade()),
    exploreShare: 0.02,
  })
  const decide = ({ post, answers }: LabelledPost) => {
    const textLength = post.text.length + post.title.length
    const plan = allocator.plan({ ...post, textLength })
    const heard = new Map<string, ExpertOutput | undefined>()
    for (let next = plan.next(heard); next.length > 0; next = plan.next(heard))
      for (const expert of next) heard.set(expert, answers[expert])
    for (const { name, tasks } of experts) {
      plan.runProbability(name, heard)
      for (const task of tasks) plan.weight(name, task)
    }
    plan.isDegraded(heard)
  }
  const times = Array.from({ length: passes }, () => {
    const startedAt = process.cpuUsage()
    for (const labelled of stream) decide(labelled)
    const { user, system } = process.cpuUsage(startedAt)
    return (user + system) / stream.length
  })
    .slice(1)
    .sort((a, b) => a - b)
  return { median: times[Math.floor(times.length / 2)] ?? Number.NaN, best: times[0] ?? Number.NaN }
}
