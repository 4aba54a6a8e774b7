// How a piece of work is timed; Measure.cs has the same rules.

const warmUpMilliseconds = 1500
const countedMilliseconds = 1500
const atLeast = 3
const atMost = 1000
const slowMilliseconds = 10000 // a first run slower than this is the only one

/**
 * Prepares (outside the time) and runs until warm, then counts. Gives the median and best time and the last run's result;
 * what earlier runs left in the engine is released.
 */
export async function measure (engine, prepare, run) {
  const mark = engine.mark()
  let result
  const once = async () => {
    engine.release(mark)
    await new Promise(resolve => setImmediate(resolve)) // finalizers run between turns only
    const state = prepare()
    const started = performance.now()
    result = run(state)
    return performance.now() - started
  }
  const times = []
  let spent = await once()
  if (spent > slowMilliseconds) {
    times.push(spent)
  } else {
    while (spent < warmUpMilliseconds) spent += await once()
    for (spent = 0; (times.length < atLeast || spent < countedMilliseconds) && times.length < atMost;) {
      times.push(await once())
      spent += times.at(-1)
    }
  }
  times.sort((a, b) => a - b)
  return { median: times[times.length >> 1], best: times[0], runs: times.length, result }
}
