/**
 * Fits the map from logits to probabilities (pipeline/experts/logit-map.ts) by log-loss: a temperature alone, or with a bias a label.
 * The biases have a prior, Normal(0, 0.5): with few rows they stay near 0, where the map is the temperature alone.
 */
import type { LogitMap } from '../experts/logit-map.ts'
import { LogitTable, type Scored } from '../fitting/logit-table.ts'
import { fitTemperature } from '../fitting/temperature.ts'

export type FitLogitMap = (scored: readonly Scored[], parentTemperature?: number) => LogitMap

export const temperatureAlone: FitLogitMap = (scored, parent) => ({
  temperature: fitTemperature(scored, parent),
  biases: [],
})

const biasDeviation = 0.5
const stepsARound = 25
const mostRounds = 40

/** Temperature and biases in turns, until no turn moves the temperature by a thousandth. */
export const withBiases: FitLogitMap = (scored, parent) => {
  const table = new LogitTable(scored)
  let map: LogitMap = { temperature: 1, biases: new Array<number>(table.labels).fill(0) }
  for (let round = 0; round < mostRounds; round++) {
    const temperature = fitTemperature(table, parent, map.biases)
    const moved = Math.abs(Math.log(temperature / map.temperature))
    map = { temperature, biases: fitBiases(table, { ...map, temperature }) }
    if (moved < 1e-3) break
  }
  return map
}

/** Steps down the gradient over a bound of the curvature (Böhning 1992): each lowers the cost, and none needs a rate. */
function fitBiases(table: LogitTable, { temperature, biases }: LogitMap): readonly number[] {
  const precision = 1 / biasDeviation ** 2
  const curvature = table.rows / 2 + precision
  let current = biases
  for (let step = 0; step < stepsARound; step++) {
    const excess = table.excess({ temperature, biases: current })
    current = current.map((bias, k) => bias - ((excess[k] ?? 0) + precision * bias) / curvature)
  }
  return current
}
