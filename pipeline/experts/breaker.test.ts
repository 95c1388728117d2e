import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { AppError } from '../../infra/errors.ts'
import { silentLogger as logger } from '../../infra/logger.ts'
import { type Circuit, type GuardedExpert, guarded } from './breaker.ts'
import type { Expert } from './expert.ts'

const batch = [{ kind: 'news', title: '', text: 'text' }] as const
const answer = { sentiment: [0.2, 0.3, 0.5] }
const options = { failures: 3, restMs: 1_000, maxRestMs: 4_000 }
const live = { priority: 'live', withinMs: 100 } as const

type Behaviour = () => unknown
const well: Behaviour = () => [answer]
const throws = (error: unknown) => () => {
  throw error
}
const fails = throws(new Error('out of memory'))
const hangs: Behaviour = () => new Promise(() => {})

describe('a guarded expert', () => {
  let behaviour: Behaviour
  let down: AppError | undefined
  let asked: number
  let circuits: Circuit[]
  let expert: GuardedExpert

  beforeEach(() => {
    mock.timers.enable({ apis: ['Date', 'setTimeout'] })
    behaviour = well
    down = undefined
    asked = 0
    circuits = []
    const raw: Expert = {
      name: 'raw',
      version: '1',
      tasks: ['sentiment'],
      classify: async (texts) => {
        // What is asked besides tells whether the text or the expert fails.
        if (texts[0]?.text === batch[0].text) asked++
        return (await behaviour()) as never
      },
      health: () => down,
      close: async () => {},
    }
    expert = guarded(raw, { logger, options, onCircuit: (circuit) => circuits.push(circuit) })
  })
  afterEach(() => mock.timers.reset())

  /** What one call after another comes to: its answer, or the code of its error. */
  async function ask(times = 1): Promise<unknown[]> {
    const found: unknown[] = []
    for (let i = 0; i < times; i++)
      found.push(
        await expert.classify(batch, live).then(
          () => 'answer',
          (error: AppError) => error.code,
        ),
      )
    return found
  }

  const broken: readonly { name: string; behaviour: Behaviour }[] = [
    { name: 'throws', behaviour: fails },
    { name: 'says what is no distribution', behaviour: () => [{ sentiment: [0.5, 0.5, 0.5] }] },
    { name: 'says NaN', behaviour: () => [{ sentiment: [Number.NaN, 0.5, 0.5] }] },
    { name: 'answers too few texts', behaviour: () => [] },
  ]
  for (const { name, behaviour: how } of broken)
    it(`that ${name} three times in a row is not asked again before its rest is over`, async () => {
      behaviour = how
      assert.deepEqual(await ask(5), ['EXPERT', 'EXPERT', 'EXPERT', 'EXPERT', 'EXPERT'])
      assert.equal(asked, 3)
      assert.equal(expert.circuit(), 'open')
      assert.equal(expert.health()?.code, 'EXPERT')
      mock.timers.tick(999)
      await ask()
      assert.equal(asked, 3)
    })

  it('that does not answer within twice its deadline three times in a row is cut off', async () => {
    behaviour = hangs
    for (let i = 0; i < 3; i++) {
      const call = ask()
      mock.timers.tick(199)
      assert.equal(expert.circuit(), 'closed')
      mock.timers.tick(1)
      assert.deepEqual(await call, ['EXPERT'])
    }
    assert.equal(expert.circuit(), 'open')
  })

  it('is waited for without end where the call has no deadline', async () => {
    let answerNow: (value: unknown) => void = () => {}
    behaviour = () => new Promise((resolve) => (answerNow = resolve))
    const call = expert.classify(batch, { priority: 'live', withinMs: Number.POSITIVE_INFINITY })
    mock.timers.tick(10 * 86_400_000)
    answerNow([answer])
    assert.deepEqual(await call, [answer])
  })

  it('is tried by one call after its rest, and serves again when that is answered', async () => {
    behaviour = fails
    await ask(3)
    mock.timers.tick(1_000)
    let answerNow: (value: unknown) => void = () => {}
    behaviour = () => new Promise((resolve) => (answerNow = resolve))
    const trial = ask()
    assert.deepEqual(await ask(2), ['EXPERT', 'EXPERT'])
    assert.equal(asked, 4)
    answerNow([answer])
    assert.deepEqual(await trial, ['answer'])
    assert.deepEqual(circuits, ['open', 'half-open', 'closed'])
    assert.equal(expert.health(), undefined)
  })

  it('that fails its trials rests twice as long each time, up to the longest', async () => {
    behaviour = fails
    await ask(3)
    for (const restMs of [1_000, 2_000, 4_000, 4_000]) {
      mock.timers.tick(restMs - 1)
      const before = asked
      await ask()
      assert.equal(asked, before, `no trial before ${restMs} ms`)
      mock.timers.tick(1)
      await ask()
      assert.equal(asked, before + 1, `a trial after ${restMs} ms`)
    }
  })

  it('is not cut off by failures with answers between them', async () => {
    for (let i = 0; i < 5; i++) {
      behaviour = fails
      await ask(2)
      behaviour = well
      await ask()
    }
    assert.deepEqual(circuits, [])
  })

  const harmless: readonly { name: string; behaviour: Behaviour; heard: string }[] = [
    {
      name: 'a full queue',
      behaviour: throws(new AppError('OVERLOADED', '')),
      heard: 'OVERLOADED',
    },
    { name: 'a missed begin', behaviour: throws(new AppError('DEADLINE', '')), heard: 'DEADLINE' },
    { name: 'a lethal text', behaviour: () => [{ lethal: 'why' }], heard: 'answer' },
  ]
  for (const { name, behaviour: how, heard } of harmless)
    it(`is not cut off by ${name}`, async () => {
      behaviour = how
      assert.deepEqual(await ask(9), new Array(9).fill(heard))
      assert.equal(expert.circuit(), 'closed')
    })

  it('that says itself why it cannot answer is not asked, nor cut off', async () => {
    down = new AppError('WORKER', 'no worker')
    assert.deepEqual(await ask(9), new Array(9).fill('WORKER'))
    assert.equal(asked, 0)
    assert.equal(expert.health(), down)
    down = undefined
    assert.deepEqual(await ask(), ['answer'])
    assert.deepEqual(circuits, [])
  })

  it('is not cut off for what ends with it', async () => {
    behaviour = fails
    await expert.close()
    await ask(5)
    assert.deepEqual(circuits, [])
  })
})
