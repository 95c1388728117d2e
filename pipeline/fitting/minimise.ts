/** Limited-memory BFGS (Nocedal and Wright 2006, algorithms 7.4 and 7.5) with a backtracking line search: the same numbers in, the same numbers out. */

export interface Point {
  readonly value: number
  readonly gradient: Float64Array
}

interface Step {
  /** Of the parameters. */
  readonly moved: Float64Array
  /** Of the gradient. */
  readonly turned: Float64Array
}

const memory = 10
const maxSteps = 500
const flatEnough = 1e-7
/** Armijo's condition: the share of the promised decrease that a step must keep. */
const sufficient = 1e-4
const shortestStep = 1e-12

/** A local minimum, the global one of a convex function; the function should be of the order of 1. It is not to keep or change what it is given. */
export function minimise(of: (at: Float64Array) => Point, start: Float64Array): Float64Array {
  let at = start
  let here = of(at)
  const steps: Step[] = []
  for (let step = 0; step < maxSteps && largest(here.gradient) > flatEnough; step++) {
    const direction = descent(here.gradient, steps)
    const found = search(of, at, here, direction)
    if (found === undefined) break
    const moved = found.at.map((value, i) => value - (at[i] ?? 0))
    const turned = found.point.gradient.map((value, i) => value - (here.gradient[i] ?? 0))
    if (isCurvedUp({ moved, turned })) steps.push({ moved, turned })
    else steps.length = 0 // What was learned of the curvature does not hold here.
    if (steps.length > memory) steps.shift()
    at = found.at
    here = found.point
  }
  return at
}

/** The first of ever shorter steps along the direction that lowers the function enough. */
function search(
  of: (at: Float64Array) => Point,
  from: Float64Array,
  { value, gradient }: Point,
  direction: Float64Array,
): { readonly at: Float64Array; readonly point: Point } | undefined {
  const slope = product(gradient, direction)
  for (let length = 1; length > shortestStep; length /= 2) {
    const at = from.map((start, i) => start + length * (direction[i] ?? 0))
    const point = of(at)
    if (point.value <= value + sufficient * length * slope) return { at, point }
  }
  return undefined
}

/** Minus the gradient, times what the last steps tell of the curvature. */
function descent(gradient: Float64Array, steps: readonly Step[]): Float64Array {
  const direction = gradient.map((slope) => -slope)
  const scales: number[] = []
  for (const { moved, turned } of steps.toReversed()) {
    const scale = product(moved, direction) / product(moved, turned)
    scales.unshift(scale)
    addTo(direction, turned, -scale)
  }
  const last = steps.at(-1)
  const size = last === undefined ? 1 : curvature(last)
  direction.forEach((value, i) => {
    direction[i] = value * size
  })
  steps.forEach(({ moved, turned }, i) => {
    const scale = product(turned, direction) / product(moved, turned)
    addTo(direction, moved, (scales[i] ?? 0) - scale)
  })
  return direction
}

function isCurvedUp({ moved, turned }: Step): boolean {
  const [along, size] = [product(moved, turned), product(moved, moved) * product(turned, turned)]
  return along > 1e-8 * Math.sqrt(size)
}

function curvature({ moved, turned }: Step): number {
  return product(moved, turned) / product(turned, turned)
}

function addTo(sum: Float64Array, vector: Float64Array, times: number): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + times * (vector[i] ?? 0)
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

function largest(vector: Float64Array): number {
  return vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
}
