/** Made-up rows whose experts are right as often as they say, or not at all. */
import { seededRandom } from '../../infra/seeded-random.ts'
import type { Judged } from './judged.ts'

/**
 * Three labels, drawn evenly. `true` says the probabilities that the label was drawn by; `loud` says the same cubed, so it is too sure; `noise` says
 * what was drawn for another row.
 */
export function simulatedRows(count: number, kind: Judged['kind'] = 'news', seed = 1): Judged[] {
  const random = seededRandom(seed)
  const drawn = () => normalised([random(), random(), random()].map((value) => value ** 3 + 1e-3))
  return Array.from({ length: count }, (_, i): Judged => {
    const beliefs = drawn()
    const at = random()
    const label = at < (beliefs[0] ?? 0) ? 0 : at < (beliefs[0] ?? 0) + (beliefs[1] ?? 0) ? 1 : 2
    const opinions = {
      loud: normalised(beliefs.map((p) => p ** 3)),
      noise: drawn(),
      true: beliefs,
    }
    return { task: 'sentiment', kind, label, fold: i % 5, cluster: i, opinions }
  })
}

function normalised(values: readonly number[]): number[] {
  const sum = values.reduce((total, value) => total + value, 0)
  return values.map((value) => value / sum)
}
