import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type Baseline,
  caughtUp,
  emptyBaseline,
  expectationOf,
  learned,
  poolOf,
  unlearned,
} from './baseline.ts'
import { midP, quantile, upperTail } from './negative-binomial.ts'

const options = { halfLife: 100, overlap: 6 }

const close = (actual: number, expected: number, tolerance = 1e-9): void =>
  assert.ok(
    Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)),
    `${actual} is not ${expected}`,
  )

const taughtBy = (volumes: readonly number[]): Baseline =>
  volumes.reduce<Baseline>(
    (baseline, volume) => learned(baseline, { volume, stories: volume * 4 }, options),
    emptyBaseline(0, options),
  )

describe('a baseline', () => {
  it('that catches up is the one that learned every zero', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { maxLength: 30 }),
        fc.nat({ max: 50 }),
        (volumes, zeros) => {
          const lazy = caughtUp(taughtBy(volumes), volumes.length + zeros, options)
          const eager = taughtBy([...volumes, ...Array.from({ length: zeros }, () => 0)])
          for (const key of ['at', 'windows', 'volume', 'squares', 'stories'] as const)
            close(lazy[key], eager[key])
        },
      ),
    )
  })

  it('of a new series has seen zeros for as long as the engine has learned', () => {
    const fresh = emptyBaseline(40, options)
    const zeros = taughtBy(Array.from({ length: 40 }, () => 0))
    close(fresh.windows, zeros.windows)
  })

  it('is left alone by a window that teaches nothing', () => {
    const before = taughtBy([1, 2, 3])
    assert.deepEqual(unlearned(before), { ...before, at: 4 })
  })

  it('expects the mean of a long history, and the pool where there is none', () => {
    const long = taughtBy(Array.from({ length: 2_000 }, (_, n) => 4 + (n % 5)))
    const pool = { series: 10, volume: 20, dispersion: 0.1 }
    close(expectationOf(long, pool, options).mean, 6, 0.05)
    close(expectationOf(emptyBaseline(0, options), pool, options).mean, 2)
  })

  it('doubts a mean the more, the shorter its history', () => {
    const pool = { series: 10, volume: 30, dispersion: 0.1 }
    const after = (windows: number): number =>
      expectationOf(taughtBy(Array.from({ length: windows }, () => 3)), pool, options).dispersion
    assert.ok(after(6) > after(60))
    assert.ok(after(60) > after(600))
  })
})

describe('poolOf', () => {
  it('adds up means and finds the dispersion of negative binomial windows', () => {
    const spread = taughtBy(Array.from({ length: 4_000 }, (_, n) => (n % 2 === 0 ? 2 : 18)))
    const pool = poolOf([spread, emptyBaseline(4_000, options)])
    assert.equal(pool.series, 1)
    close(pool.volume, 10, 0.01)
    close(pool.dispersion, (64 - 10) / 100, 0.02)
  })
})

/** P(X >= x) by summing the probability function. */
function summedTail(mean: number, dispersion: number, x: number): number {
  const r = 1 / dispersion
  const q = mean / (mean + r)
  let mass = (1 - q) ** r
  let tail = 0
  for (let k = 0; k < x + 20_000; k++) {
    if (k >= x) tail += mass
    mass *= ((k + r) / (k + 1)) * q
  }
  return tail
}

describe('the negative binomial tail', () => {
  it('is the sum of the probability function at integers', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 60, noNaN: true }),
        fc.double({ min: 0.01, max: 5, noNaN: true }),
        fc.integer({ min: 1, max: 40 }),
        (mean, dispersion, x) => {
          const exact = summedTail(mean, dispersion, x)
          const tail = upperTail({ mean, dispersion }, x)
          assert.ok(Math.abs(tail - exact) <= 1e-6 * exact + 1e-14, `${tail} is not ${exact}`)
        },
      ),
    )
  })

  it('falls as the volume grows, between integers too', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 50, noNaN: true }),
        fc.double({ min: 0, max: 3, noNaN: true }),
        fc.double({ min: 0, max: 100, noNaN: true }),
        (mean, dispersion, x) => {
          const distribution = { mean, dispersion }
          assert.ok(midP(distribution, x) >= midP(distribution, x + 0.5) - 1e-12)
          assert.ok(midP(distribution, x) <= upperTail(distribution, x) + 1e-12)
        },
      ),
    )
  })

  it('has quantiles that the tail agrees with', () => {
    for (const level of [0.5, 0.95, 0.99]) {
      const distribution = { mean: 3, dispersion: 0.2 }
      close(midP(distribution, quantile(distribution, level)), 1 - level, 1e-6)
    }
    assert.ok(quantile({ mean: 0.01, dispersion: 1 }, 0.05) < 1e-9)
  })
})
