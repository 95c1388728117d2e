/** What every expert says of posts, each by itself. */
import type { JudgedPost } from '../allocator/analyst.ts'
import { unhurried } from '../evaluation/panel.ts'
import { type Expert, type ExpertOutput, isLethal, type Lethal } from '../experts/expert.ts'

/** By name of the expert. */
export type Outputs = ReadonlyMap<string, ExpertOutput>

/** In the order of the posts; `Lethal` for a text that an expert must not read. Rejects with what an expert failed with. */
export async function hearExperts(
  experts: readonly Expert[],
  posts: readonly JudgedPost[],
): Promise<(Outputs | Lethal)[]> {
  const answers = await Promise.all(experts.map((expert) => expert.classify(posts, unhurried)))
  return posts.map((_, i) => {
    const outputs = new Map<string, ExpertOutput>()
    for (const [e, { name }] of experts.entries()) {
      const answer = answers[e]?.[i]
      if (answer === undefined) throw new RangeError(`${name} did not answer a text`)
      if (isLethal(answer)) return answer
      outputs.set(name, answer)
    }
    return outputs
  })
}
