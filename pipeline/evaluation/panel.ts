/**
 * The judges of an evaluation: each expert by its own calibrated probabilities, and fusions of them by real analysts. An expert reads a text once;
 * the analysts get its answers again, so what is measured is what is served, at the price of one reading.
 */
import type { Analyst, JudgedPost } from '../allocator/analyst.ts'
import type { Judgement } from '../allocator/judgement.ts'
import type { Task } from '../contract.ts'
import {
  type Call,
  type Expert,
  type ExpertInput,
  type ExpertOutput,
  isLethal,
  type Lethal,
} from '../experts/expert.ts'

/** Probabilities in the order of the task's labels, by judge. */
export type Answers = ReadonlyMap<string, readonly number[]>

export interface Panel {
  /** Experts that judge the task, then fusions. */
  readonly judges: readonly string[]
  /** In the order of the texts; `Lethal` for a text that an expert must not read. Rejects with what an expert failed with. */
  judge(posts: readonly JudgedPost[]): Promise<(Answers | Lethal)[]>
}

/** Makes an analyst of experts; it must throw what an expert fails with. */
export type AnalystOf = (experts: readonly Expert[]) => Analyst

/** Nobody waits for an evaluation. */
export const unhurried: Call = { priority: 'history', withinMs: 3_600_000 }

export function createPanel(deps: {
  readonly task: Task
  readonly experts: readonly Expert[]
  readonly fusions: Readonly<Record<string, AnalystOf>>
}): Panel {
  const { task, experts } = deps
  const judging = experts.filter(({ tasks }) => tasks.includes(task)).map(({ name }) => name)
  return {
    judges: [...judging, ...Object.keys(deps.fusions)],
    async judge(posts) {
      const outputs = await Promise.all(experts.map((expert) => expert.classify(posts, unhurried)))
      const lethal = posts.map((_, i) =>
        outputs.flatMap((output) => output[i] ?? []).find(isLethal),
      )
      const readable = posts.filter((_, i) => lethal[i] === undefined)
      const recalling = experts.map((expert, e) => recallingExpert(expert, posts, outputs[e] ?? []))
      const fused = new Map(
        await Promise.all(
          Object.entries(deps.fusions).map(
            async ([name, analystOf]) =>
              [name, await analystOf(recalling).judge(readable)] as const,
          ),
        ),
      )
      let at = 0
      return posts.map((_, i) => {
        const fatal = lethal[i]
        if (fatal !== undefined) return fatal
        const own = experts.map(({ name }, e) => [name, answerOf(task, outputs[e]?.[i])] as const)
        const together = [...fused].map(
          ([name, judgements]) => [name, judgedProbabilities(task, judgements[at])] as const,
        )
        at++
        return new Map([...own, ...together].filter(([, answer]) => answer.length > 0))
      })
    },
  }
}

/** Answers from memory: by what an expert reads, since its answer depends on nothing else. */
function recallingExpert(
  expert: Expert,
  inputs: readonly ExpertInput[],
  outputs: readonly (ExpertOutput | Lethal)[],
): Expert {
  const known = new Map(inputs.map((input, i) => [keyOf(input), outputs[i]]))
  return {
    name: expert.name,
    version: expert.version,
    tasks: expert.tasks,
    classify: async (batch) =>
      batch.map((input) => {
        const output = known.get(keyOf(input))
        if (output === undefined) throw new RangeError(`${expert.name} was asked for another text`)
        return output
      }),
    close: async () => {},
  }
}

const keyOf = ({ kind, title, text }: ExpertInput) => JSON.stringify([kind, title, text])

function answerOf(task: Task, output: ExpertOutput | Lethal | undefined): readonly number[] {
  return output === undefined || isLethal(output) ? [] : (output[task] ?? [])
}

function judgedProbabilities(
  task: Task,
  judgement: Judgement | Lethal | undefined,
): readonly number[] {
  if (judgement === undefined || 'lethal' in judgement) return []
  if (task === 'topic') return judgement.topic_probabilities
  return [judgement.negative, judgement.neutral, judgement.positive]
}
