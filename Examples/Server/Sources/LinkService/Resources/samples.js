// Receives the service's samples, and keeps them for an hour.

const HOUR = 3_600_000;
const MINUTE = 60_000;
const SILENCE = 3_000;   // Samples arrive five times a second. After this time without one, the connection is lost.
const FINE = 1_000;      // Samples that summarize more milliseconds than this are coarse.

/// The samples of the last minute and the coarse samples of the last hour, the oldest first.
export class Samples {
  fine = [];
  coarse = [];
  offset = 0;            // The server's clock minus the browser's clock, in milliseconds.
  #source;
  #heard = 0;
  #onSample;
  #onState;

  constructor(onSample, onState) {
    this.#onSample = onSample;
    this.#onState = onState;
    this.#connect();
    setInterval(() => this.#check(), 1_000);
  }

  get latest() { return this.fine.at(-1); }
  get now() { return Date.now() + this.offset; }

  /// The samples for a chart of the last `span` milliseconds.
  during(span) {
    if (span <= MINUTE) return this.fine;
    // The newest samples are not part of a coarse sample yet.
    const end = this.coarse.at(-1)?.time ?? 0;
    return [...this.coarse, ...this.fine.filter((sample) => sample.time > end)];
  }

  #connect() {
    this.#source?.close();
    this.#source = new EventSource("/pool/events");
    this.#heard = Date.now();
    this.#source.onmessage = (event) => this.#receive(JSON.parse(event.data));
    this.#source.onerror = () => this.#onState("reconnecting");
  }

  #receive(sample) {
    this.#heard = Date.now();
    const list = sample.span > FINE ? this.coarse : this.fine;
    // After a reconnect the server repeats samples.
    if (list.length && sample.time <= list.at(-1).time) return;
    list.push(sample);
    // The past arrives at once, so only the newest sample tells the difference between the clocks.
    this.offset = sample.time - this.#heard;
    while (this.fine.length > 1 && this.fine[1].time < this.now - MINUTE) this.fine.shift();
    while (this.coarse.length > 1 && this.coarse[1].time < this.now - HOUR) this.coarse.shift();
    this.#onState("live");
    this.#onSample();
  }

  #check() {
    // `EventSource` reconnects by itself, except after an error response and when the peer has vanished.
    if (this.#source.readyState === EventSource.CLOSED || Date.now() - this.#heard > SILENCE) {
      this.#onState("reconnecting");
      this.#connect();
    }
    this.#onSample();
  }
}

/// The samples of one pool, in the form that the charts use.
export function ofPool(samples, name) {
  return samples.flatMap(({ time, span, requests, unavailable, pools }) => {
    const entry = pools.find((pool) => pool.name === name);
    return entry ? [{ time, span, requests, unavailable, ...entry }] : [];
  });
}

/// Splits samples into runs without gaps.
export function runs(samples) {
  const parts = [];
  for (const sample of samples) {
    const last = parts.at(-1)?.at(-1);
    if (last && sample.time - sample.span - last.time <= 1_000) parts.at(-1).push(sample); else parts.push([sample]);
  }
  return parts;
}

/// Returns the stretches of time in which a condition holds, with the largest total in each.
export function stretches(runs, holds) {
  const found = [];
  for (const run of runs) {
    run.forEach((sample, i) => {
      if (!holds(sample)) return;
      const start = i > 0 ? run[i - 1].time : sample.time - sample.span;
      if (found.length && found.at(-1).end >= start) found.at(-1).end = sample.time;
      else found.push({ start, end: sample.time, high: 0 });
      found.at(-1).high = Math.max(found.at(-1).high, sample.peak.total);
    });
  }
  return found;
}
