/** The analyst of live posts: each batch is judged by the set of experts that serves when it begins. */
import type { Analyst } from '../allocator/analyst.ts'
import type { ExpertSet } from '../contract.ts'
import type { Serving } from './serving.ts'

export function createLiveAnalyst(deps: {
  readonly serving: Pick<Serving, 'set'>
  analystFor(set: ExpertSet): Analyst
}): Analyst {
  const analysts = new Map<string, Analyst>()
  const current = (): Analyst => {
    const set = deps.serving.set()
    const key = JSON.stringify(set)
    const analyst = analysts.get(key) ?? deps.analystFor(set)
    analysts.set(key, analyst)
    return analyst
  }
  return {
    judge: (posts, call) => current().judge(posts, call),
    async close() {
      // One at least, so that the experts are closed.
      current()
      await Promise.all([...analysts.values()].map((analyst) => analyst.close()))
    },
  }
}
