/** A pipeline for tests of how it reads the log: one expert that says the same of every text, unless another analyst is given. */
import { silentLogger } from '../infra/logger.ts'
import { type Analyst, createAnalyst } from './allocator/analyst.ts'
import { createCalibration } from './allocator/calibration.ts'
import { createStaticAllocator } from './allocator/static.ts'
import { createLinker } from './entities/link.ts'
import { createPipeline, type Pipeline, type PipelineDeps } from './pipeline.ts'
import { Gate } from './serving/gate.ts'
import { steady } from './serving/world.fixture.ts'

export const logTopic = 'posts@0'

const linker = createLinker()

export function steadyAnalyst(): Analyst {
  const experts = [steady('calm', 0.2)]
  const weights = { news: { calm: 1 }, comment: { calm: 1 } }
  return createAnalyst({
    experts,
    allocator: createStaticAllocator({ weights, experts }),
    calibration: createCalibration([]),
    referenceWeights: weights,
    onExpertFailure: (_, error) => {
      throw error
    },
  })
}

export function pipelineOn(
  deps: Pick<PipelineDeps, 'log' | 'store'> & Partial<PipelineDeps>,
): Pipeline {
  return createPipeline({
    logTopic,
    analyst: steadyAnalyst(),
    linker,
    gate: new Gate(),
    clock: Date.now,
    logger: silentLogger,
    flushMs: 1,
    limits: { maxBytes: 1e9, maxMs: 1e9 },
    withinMs: { live: 1_000, history: 1_000 },
    labelRates: { share: 0, uniformShare: 0 },
    onFatal: (error) => {
      throw error
    },
    ...deps,
  })
}

/** The record of a post. */
export function postRecord(id: string, fields: Readonly<Record<string, unknown>> = {}) {
  const value = {
    id,
    source: 'test',
    kind: 'news',
    text: `$FB falls, says ${id}`,
    publishedAt: '2026-01-01T00:00:00Z',
    ...fields,
  }
  return { key: id, value: JSON.stringify(value) }
}
