import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import type { Strategy } from '../contract.ts'
import type { Judgement } from './judgement.ts'
import { costMsOf, createTraffic } from './traffic.ts'

/** `linear` judges both tasks, `minilm` did not run, `quiet` is a shadow. */
function judgement(strategy: Strategy, confidence: number, degraded = false): Judgement {
  return {
    topic: '',
    topic_probabilities: [],
    negative: 0,
    neutral: 0,
    positive: 0,
    score: 0,
    reference_score: 0,
    confidence,
    'experts.name': ['linear', 'linear', 'minilm', 'quiet'],
    'experts.version': ['1', '1', '1', '1'],
    'experts.task': ['sentiment', 'topic', 'sentiment', 'sentiment'],
    'experts.weight': [1, 1, 0, 0],
    'experts.probabilities': [[], [], [], []],
    'experts.ran': [true, true, false, true],
    'experts.run_probability': [1, 1, 1, 0.1],
    'experts.shadow': [false, false, false, true],
    'experts.cost_ms': [0.5, 0.5, 0, 9],
    strategy,
    fusion: 'average',
    topic_fusion: '',
    sentiment_temperature: 1,
    topic_temperature: 0,
    degraded,
    weights_version: -1,
  }
}

test('a run costs once, however many tasks the expert judges, and a shadow costs nobody', () => {
  assert.equal(costMsOf(judgement('static', 0.5)), 0.5)
})

test('every strategy has the same figures, also one that judged nothing', async () => {
  const registry = new Registry()
  const traffic = createTraffic(registry)
  traffic.judged([judgement('static', 0.9), judgement('static', 0.5, true)])
  traffic.judged([judgement('dynamic', 0.7)])
  traffic.circuit('minilm', 'open')
  const nothing = { posts: 0, degraded: 0, costMs: 0, confidence: 0, runs: {} }
  const figures = Object.entries(traffic.byStrategy()).map(([name, found]) => [name, { ...found }])
  assert.deepEqual(Object.fromEntries(figures), {
    static: { posts: 2, degraded: 1, costMs: 1, confidence: 1.4, runs: { linear: 2 } },
    dynamic: { posts: 1, degraded: 0, costMs: 0.5, confidence: 0.7, runs: { linear: 1 } },
    multitask: nothing,
  })
  const lines = (await registry.metrics()).split('\n')
  for (const line of [
    'tickertone_allocator_posts_total{strategy="static"} 2',
    'tickertone_allocator_posts_total{strategy="multitask"} 0',
    'tickertone_allocator_degraded_total{strategy="static"} 1',
    'tickertone_allocator_compute_seconds_total{strategy="dynamic"} 0.0005',
    'tickertone_allocator_expert_runs_total{strategy="static",expert="linear"} 2',
    'tickertone_allocator_confidence_count{strategy="static"} 2',
    'tickertone_expert_circuit{expert="minilm"} 2',
  ])
    assert.ok(lines.includes(line), `${line} is not in\n${lines.join('\n')}`)
})

test('the last twenty drifts stand there, the newest first, and each is counted', async () => {
  const registry = new Registry()
  const traffic = createTraffic(registry)
  const drift = { task: 'topic', kind: 'news', before: 0.1, since: 0.3, verdicts: 50 } as const
  for (let offset = 0; offset < 25; offset++)
    traffic.drifted({ ...drift, offset, at: offset, expert: offset === 24 ? '' : 'linear' })
  const kept = traffic.drifts().map(({ offset }) => offset)
  assert.deepEqual(
    kept,
    Array.from({ length: 20 }, (_, i) => 24 - i),
  )
  const metrics = await registry.metrics()
  for (const [judge, count] of [
    ['linear', 24],
    ['fused', 1],
  ])
    assert.match(
      metrics,
      new RegExp(
        `^tickertone_label_drifts_total\\{task="topic",kind="news",judge="${judge}"\\} ${count}$`,
        'm',
      ),
    )
})
