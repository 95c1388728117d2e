import assert from 'node:assert/strict'
import { test } from 'node:test'
import { placementOf } from './placement.ts'

const node = (op_name: string, provider: string) => ({
  cat: 'Node',
  name: `${op_name}_kernel_time`,
  args: { op_name, provider },
})
const gpu = 'CUDAExecutionProvider'
const cpu = 'CPUExecutionProvider'

const cases = [
  { name: 'an empty profile', events: [], expected: { products: 0, onProvider: 0 } },
  {
    name: 'shapes on the CPU are no fallback',
    events: [node('Shape', cpu), node('FusedMatMul', gpu), node('Gemm', gpu)],
    expected: { products: 2, onProvider: 2 },
  },
  {
    name: 'a quantised product on the CPU is one',
    events: [node('QLinearMatMul', cpu), node('Attention', gpu)],
    expected: { products: 2, onProvider: 1 },
  },
  {
    name: 'other events',
    events: [{ cat: 'Session', name: 'model_run' }, null, node('MatMul', gpu)],
    expected: { products: 1, onProvider: 1 },
  },
]

for (const { name, events, expected } of cases)
  test(name, () => assert.deepEqual(placementOf(JSON.stringify(events), 'cuda'), expected))
