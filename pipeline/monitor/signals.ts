/** What the monitor watches of a post: numbers that need no label. */

import type { Judgement } from '../allocator/judgement.ts'
import { sentiments, topicLabels } from '../contract.ts'
import { argmax } from '../experts/probabilities.ts'

export interface Signal {
  readonly name: string
  /** See `DetectorOptions`. */
  readonly leastDeviation: number
}

/** Of a class of 2%. */
const classDeviation = 0.14

/** Of posts whose text experts read. */
export const judgedSignals: readonly Signal[] = [
  ...sentiments.map((label) => ({ name: `sentiment ${label}`, leastDeviation: classDeviation })),
  ...topicLabels.map((label) => ({ name: `topic ${label}`, leastDeviation: classDeviation })),
  { name: 'confidence', leastDeviation: 0.05 },
  { name: 'disagreement', leastDeviation: 0.05 },
  { name: 'rare words', leastDeviation: 0.05 },
  { name: 'log2 length', leastDeviation: 0.2 },
]

const watchedLanguages = ['en', 'es', 'de', 'fr', 'pt', 'it', 'ja', 'zh'] as const

/** Of posts in any language. */
export const languageSignals: readonly Signal[] = [...watchedLanguages, 'other'].map(
  (language) => ({
    name: `language ${language}`,
    leastDeviation: classDeviation,
  }),
)

/** In the order of `judgedSignals`; undefined where the post says nothing of it. */
export function judgedValues(
  judgement: Judgement,
  { length, rareWords }: { readonly length: number; readonly rareWords: number | undefined },
): (number | undefined)[] {
  const sentiment = [judgement.negative, judgement.neutral, judgement.positive]
  const likeliest = argmax(sentiment)
  return [
    ...sentiments.map((_, label) => Number(label === likeliest)),
    ...topicLabels.map((label) =>
      judgement.topic === '' ? undefined : Number(label === judgement.topic),
    ),
    judgement.confidence,
    disagreement(judgement),
    rareWords,
    Math.log2(1 + length),
  ]
}

/** In the order of `languageSignals`. */
export function languageValues(language: string): number[] {
  const known = watchedLanguages.some((watched) => watched === language)
  return [...watchedLanguages.map((watched) => Number(watched === language)), known ? 0 : 1]
}

/** Mean total variation distance of the experts' sentiments from their plain average; undefined where fewer than two count. */
function disagreement(judgement: Judgement): number | undefined {
  const opinions = judgement['experts.probabilities'].filter(
    (_, i) =>
      judgement['experts.task'][i] === 'sentiment' &&
      judgement['experts.ran'][i] === true &&
      judgement['experts.shadow'][i] === false,
  )
  if (opinions.length < 2) return undefined
  const distances = sentiments.map((_, label) => {
    const said = opinions.map((opinion) => opinion[label] ?? 0)
    const average = said.reduce((sum, p) => sum + p, 0) / said.length
    return said.reduce((sum, p) => sum + Math.abs(p - average), 0) / said.length
  })
  return distances.reduce((sum, distance) => sum + distance, 0) / 2
}
