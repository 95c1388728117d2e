/** Verdicts with what the monitor reads of them. */

import type { Judgement } from '../allocator/judgement.ts'
import { notDrawn } from '../feedback/draw.ts'
import type { Verdict } from '../rows.ts'

export interface Told {
  readonly text?: string
  readonly kind?: 'news' | 'comment'
  readonly history?: boolean
  readonly topic?: string
  readonly sentiment?: readonly [number, number, number]
  readonly opinions?: readonly (readonly number[])[]
  readonly shadow?: readonly boolean[]
}

export function judgementOf(told: Told = {}): Judgement {
  const { topic = 'Macro', sentiment = [0.2, 0.5, 0.3] } = told
  const opinions = told.opinions ?? [sentiment, sentiment]
  const [negative, neutral, positive] = sentiment
  return {
    topic,
    topic_probabilities: [],
    negative,
    neutral,
    positive,
    score: positive - negative,
    reference_score: positive - negative,
    confidence: Math.max(...sentiment),
    'experts.name': opinions.map((_, i) => `expert ${i}`),
    'experts.version': opinions.map(() => '1'),
    'experts.task': opinions.map(() => 'sentiment'),
    'experts.weight': opinions.map(() => 1 / opinions.length),
    'experts.probabilities': opinions.map((opinion) => [...opinion]),
    'experts.ran': opinions.map((opinion) => opinion.length > 0),
    'experts.run_probability': opinions.map(() => 1),
    'experts.shadow': opinions.map((_, i) => told.shadow?.[i] ?? false),
    'experts.cost_ms': opinions.map(() => 0),
    strategy: 'static',
    fusion: 'average',
    topic_fusion: '',
    sentiment_temperature: 1,
    topic_temperature: 1,
    degraded: false,
    weights_version: -1,
  }
}

function readPost({ text = 'shares', kind = 'news', history = false }: Told) {
  return {
    post: {
      id: 'p',
      source: 'test',
      kind,
      text,
      history,
      publishedAt: '2020-06-26T16:50:00Z',
    },
    version: 1,
    languageConfidence: 1,
    signature: [],
  }
}

export function scored(told: Told = {}): Verdict {
  return {
    outcome: 'scored',
    ...readPost(told),
    language: 'en',
    judgement: judgementOf(told),
    draw: notDrawn,
    mentions: [],
  }
}

export function unsupported(language: string, told: Told = {}): Verdict {
  return { outcome: 'unsupported', ...readPost(told), language }
}
