/** How many refused records wait for somebody to decide. */
import type { Store } from '../../infra/store/store.ts'

export async function countOpenLetters(store: Store): Promise<number> {
  const [row] = await store.query<{ open: number }>(
    "SELECT count() AS open FROM dead_letters_v WHERE state = 'open'",
  )
  return row?.open ?? 0
}
