/** Answers shared by everyone who asks within `maxAgeMs`: many open pages cost the store one query. */
import type { Clock } from '../infra/clock.ts'

export function cached<Key, Answer>(
  options: { readonly maxAgeMs: number; readonly clock: Clock },
  load: (key: Key) => Promise<Answer>,
): (key: Key) => Promise<Answer> {
  const answers = new Map<Key, { readonly at: number; readonly answer: Promise<Answer> }>()
  return (key) => {
    const now = options.clock()
    for (const [old, { at }] of answers) if (now - at >= options.maxAgeMs) answers.delete(old)
    const known = answers.get(key)
    if (known !== undefined) return known.answer
    const answer = load(key)
    answers.set(key, { at: now, answer })
    answer.catch(() => answers.delete(key))
    return answer
  }
}
