// Draws charts of samples over time as SVG.

export function number(value) { return value.toLocaleString("en"); }

function px(value) { return Math.round(value * 10) / 10; }

/// Returns the smallest of 1, 2, 5, 10, 20, 50 … that divides a height into at most `lines` parts, but into at least one.
function niceStep(high, lines) {
  const power = 10 ** Math.floor(Math.log10(Math.max(high / lines, 1)));
  const steps = [1, 2, 5, 10].map((factor) => factor * power).filter((step) => step <= high);
  return steps.find((step) => step >= high / lines) ?? steps.at(-1) ?? 1;
}

export class Chart {
  parts = [];

  /// Creates a chart of the time from `now - span` to `now`. `scale` maps a value to a height from 0 to 1.
  constructor(svg, height, now, span, scale) {
    this.svg = svg;
    this.now = now;
    this.span = span;
    const width = svg.clientWidth;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.style.height = `${height}px`;
    this.box = { left: 46, right: width - 6, top: 10, bottom: height - 20 };
    const { left, right, top, bottom } = this.box;
    this.x = (time) => right - (now - time) / span * (right - left);
    this.y = (value) => bottom - scale(value) * (bottom - top);
  }

  bands(kind, list) {
    for (const { start, end } of list) this.#rectangle(kind, start, end, this.box.top, this.box.bottom);
  }

  /// Draws outages over everything else: hatching, a solid bar at the top, and a label if there is room.
  outages(list, label) {
    if (!list.length) return;
    this.parts.push(`<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse">`
      + `<path d="M-1 1 1 -1M0 7 7 0M6 8 8 6"/></pattern></defs>`);
    for (const { start, end } of list) {
      this.#rectangle("outage-hatch", start, end, this.box.top, this.box.bottom);
      const { left, width } = this.#rectangle("outage-bar", start, end, this.box.top - 6, this.box.top);
      if (label && width > 150) {
        this.parts.push(`<text class="label outage" x="${px(left + 6)}" y="${this.box.top + 14}">${label}</text>`);
      }
    }
  }

  #rectangle(kind, start, end, top, bottom) {
    const left = Math.max(this.x(start), this.box.left);
    // A short stretch in a long chart must stay visible.
    const width = this.x(end) > this.box.left ? Math.max(this.x(end) - left, 2) : 0;
    if (width > 0) {
      this.parts.push(`<rect class="${kind}" x="${px(left)}" y="${top}" width="${px(width)}" height="${bottom - top}"/>`);
    }
    return { left, width };
  }

  /// Draws horizontal lines at round values.
  valueAxis(high, lines) {
    for (let value = 0, step = niceStep(high, lines); value <= high; value += step) this.gridLine(value, number(value));
  }

  gridLine(value, text) {
    const y = px(this.y(value));
    this.parts.push(`<line class="grid" x1="${this.box.left}" x2="${this.box.right}" y1="${y}" y2="${y}"/>`,
      `<text x="${this.box.left - 6}" y="${y + 4}" text-anchor="end">${text}</text>`);
  }

  timeAxis() {
    const [unit, name] = this.span > 120_000 ? [60_000, "min"] : [1_000, "s"];
    const labels = this.box.right - this.box.left > 400 ? 4 : 2;
    for (let part = labels; part >= 0; part--) {
      const back = this.span * part / labels;
      const anchor = part === labels ? "start" : part === 0 ? "end" : "middle";
      const text = part ? `−${Math.round(back / unit * 10) / 10} ${name}` : "now";
      this.parts.push(
        `<text x="${px(this.x(this.now - back))}" y="${this.box.bottom + 15}" text-anchor="${anchor}">${text}</text>`);
    }
  }

  /// Draws a value as steps, because a sample describes the time since the previous one.
  line(kind, run, value) { this.#path(kind, this.#steps(run, value)); }

  area(kind, run, value) {
    this.#path(kind, `${this.#steps(run, value)}V${this.box.bottom}H${px(this.#start(run))}Z`);
  }

  #start(run) { return this.x(run[0].time - run[0].span); }

  #steps(run, value) {
    let path = `M${px(this.#start(run))} ${px(this.y(value(run[0])))}`;
    for (const sample of run) path += `V${px(this.y(value(sample)))}H${px(this.x(sample.time))}`;
    return path;
  }

  #path(kind, path) {
    this.parts.push(`<path class="${kind}" d="${path}" clip-path="inset(0 0 0 ${this.box.left}px) view-box"/>`);
  }

  label(kind, value, text) {
    this.parts.push(`<text class="label ${kind}" x="${this.box.left + 8}" y="${px(this.y(value) - 6)}">${text}</text>`);
  }

  finish() { this.svg.innerHTML = this.parts.join(""); }
}
