/** Contexts of weights, from the widest to the narrowest: task, kind, language, length. A narrow one with few labels borrows from the one around it. */
import { renormalised } from '../fusion.ts'
import type { WeightContext } from '../weights.ts'
import type { Weights } from './hedge.ts'

export interface ContextNode {
  /** Labels counted. */
  readonly labels: number
  readonly weights: Weights
}

/** UTF-16 units; a third of the labelled texts each, about. */
const lengths = [
  { name: 'short', below: 80 },
  { name: 'medium', below: 160 },
] as const

/** Keys of the contexts that hold a post, the widest first. */
export function contextPath({ task, kind, language, textLength }: WeightContext): string[] {
  const inKind = `${task}/${kind}`
  const inLanguage = `${inKind}/${languageKey(language)}`
  return [task, inKind, inLanguage, `${inLanguage}/${lengthKey(textLength)}`]
}

/**
 * The weights of the narrowest context: each holds its own by n / (n + kappa) of them, n its labels, and those of the one around it by the rest. Around the
 * widest stand the prior weights of the kind, on which its own are a factor. `nodes` in the order of the path; undefined where a context has no label.
 */
export function shrunk(
  prior: Weights,
  [widest, ...inner]: readonly (ContextNode | undefined)[],
  kappa: number,
): Weights {
  const shared = widest && { ...widest, weights: tilted(prior, widest.weights) }
  return [shared, ...inner].reduce<Weights>((around, node) => {
    if (node === undefined) return around
    const own = node.labels / (node.labels + kappa)
    return around.map((weight, i) => own * (node.weights[i] ?? 0) + (1 - own) * weight)
  }, prior)
}

/**
 * Kinds differ in what their experts are worth, so what they share is how much better each is than its prior weight says: Hedge that starts from the prior
 * has weights in proportion to it times a factor that it would have reached from equal weights.
 */
export function tilted(prior: Weights, factors: Weights): Weights {
  return renormalised(prior.map((weight, i) => weight * (factors[i] ?? 0)))
}

/** Anything that is no code of a language is one: strangers make no more contexts than there are languages. */
function languageKey(language: string): string {
  return /^[a-z]{2,3}$/.test(language) ? language : 'other'
}

function lengthKey(textLength: number): string {
  return lengths.find(({ below }) => textLength < below)?.name ?? 'long'
}
