// Charts of one span of time each, drawn as SVG.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 132, LEFT = 48, RIGHT = 6, TOP = 8, BOTTOM = 18;

function draw(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// At most four steps of 1, 2 or 5 times a power of the base, from 0 on.
function steps(most, base = 10) {
  const raw = most / 3;
  const power = base ** Math.floor(Math.log(raw) / Math.log(base));
  const step = (base === 10 ? [1, 2, 5, 10] : [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]).find((each) => each * power >= raw * 0.999) * power;
  const found = [];
  for (let at = 0; at < 4; ++at) found.push(at * step);
  while (found.length > 2 && found[found.length - 2] >= most) found.pop();
  return found;
}

// The powers of ten from one millisecond on.
function decades(most) {
  const found = [0.001, 0.01, 0.1];
  while (found[found.length - 1] < most) found.push(10 ** (found.length - 3));
  return found;
}

function nearest(points, time) {
  let low = 0, high = points.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle].time < time) low = middle; else high = middle;
  }
  if (!points.length) return null;
  return Math.abs(points[low].time - time) <= Math.abs(points[high].time - time) ? points[low] : points[high];
}

class Chart {
  // `lines`: {name, key, of(point)}; stacked ones are areas on one another; `least` is what the axis shows at least;
  // one that is `logarithmic` is of seconds; `axis` writes numbers there.
  constructor(into, {title, lines, format, axis = format, least = 1, stacked = false, logarithmic = false, base = 10}, onPoint) {
    Object.assign(this, {title, lines, format, axis, least, stacked, logarithmic, base});
    this.view = null;
    this.chosen = null;
    const box = document.createElement("figure");
    box.className = "card chart";
    const heading = document.createElement("h3");
    heading.textContent = title;
    this.legend = document.createElement("figcaption");
    this.legend.className = "legend";
    this.values = lines.map((line) => {
      const one = document.createElement("span"), mark = document.createElement("i"), value = document.createElement("b");
      mark.className = `k-${line.key}`;
      one.append(mark, `${line.name} `, value);
      this.legend.append(one);
      return value;
    });
    this.svg = draw("svg", {role: "img", "aria-label": title, height: HEIGHT});
    box.append(heading, this.legend, this.svg);
    into.append(box);
    this.svg.addEventListener("pointermove", (event) => onPoint(this.timeAt(event)));
    this.svg.addEventListener("pointerleave", () => onPoint(null));
    new ResizeObserver(() => this.view && this.show(this.view)).observe(this.svg);
  }

  timeAt(event) {
    if (!this.view) return null;
    const box = this.svg.getBoundingClientRect();
    const share = (event.clientX - box.left - LEFT) / Math.max(1, box.width - LEFT - RIGHT);
    return this.view.from + Math.min(1, Math.max(0, share)) * (this.view.to - this.view.from);
  }

  // `view`: {points, from, to, gap, marks}
  show(view) {
    this.view = view;
    const width = Math.max(120, Math.round(this.svg.getBoundingClientRect().width) || 360);
    const points = view.points.filter((each) => each.time >= view.from - view.gap);
    const tops = points.map((each) => this.stacked
      ? this.lines.reduce((sum, line) => sum + (line.of(each) ?? 0), 0)
      : Math.max(0, ...this.lines.map((line) => line.of(each) ?? 0)));
    const ticks = this.logarithmic ? decades(Math.max(0, ...tops)) : steps(Math.max(this.least, ...tops), this.base);
    const least = ticks[0], most = ticks[ticks.length - 1];
    const height = this.logarithmic ? (value) => Math.log(Math.max(1, value / least)) / Math.log(most / least) : (value) => value / most;
    const x = (time) => LEFT + (time - view.from) / (view.to - view.from) * (width - LEFT - RIGHT);
    const y = (value) => TOP + (1 - height(value)) * (HEIGHT - TOP - BOTTOM);
    const parts = [];
    for (const each of ticks) {
      parts.push(draw("line", {class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(each), y2: y(each)}));
      parts.push(draw("text", {class: "label", x: LEFT - 6, y: y(each) + 4, "text-anchor": "end"}, each === 0 ? "0" : this.axis(each)));
    }
    const span = view.to - view.from;
    const step = [15, 30, 60, 120, 300].find((each) => span / each <= Math.min(5, width / 100)) ?? 300;
    for (let back = 0; back <= span + 0.5; back += step) {
      const text = back === 0 ? "now" : back < 60 ? `−${back} s` : `−${+(back / 60).toFixed(1)} min`;
      const anchor = back === 0 ? "end" : back >= span - step / 4 ? "start" : "middle";
      parts.push(draw("text", {class: "label", x: x(view.to - back), y: HEIGHT - 3, "text-anchor": anchor}, text));
    }
    const clip = draw("svg", {x: LEFT, y: 0, width: width - LEFT - RIGHT, height: HEIGHT, viewBox: `${LEFT} 0 ${width - LEFT - RIGHT} ${HEIGHT}`});
    for (const time of view.marks) {
      if (time > view.from) clip.append(draw("line", {class: "mark-line", x1: x(time), x2: x(time), y1: TOP, y2: HEIGHT - BOTTOM}));
    }
    if (this.stacked) clip.append(...this.areas(points, x, y, view.gap));
    else clip.append(...this.strokes(points, x, y, view.gap));
    this.cursor = draw("line", {class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden"});
    clip.append(this.cursor);
    parts.push(clip);
    this.x = x;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.svg.replaceChildren(...parts);
    this.point(this.chosen);
  }

  strokes(points, x, y, gap) {
    return this.lines.map((line) => {
      let path = "", last = null;
      for (const each of points) {
        const value = line.of(each);
        if (value === null || value === undefined) continue;
        const joined = last !== null && each.time - last <= gap;
        // A value that stands alone is a dot.
        path += `${joined ? "L" : "M"}${x(each.time).toFixed(1)} ${y(value).toFixed(1)}${joined ? "" : "h.01"}`;
        last = each.time;
      }
      return draw("path", {class: `line k-${line.key}`, d: path});
    });
  }

  areas(points, x, y, gap) {
    const runs = [];
    for (const each of points) {
      const run = runs[runs.length - 1];
      if (run && each.time - run[run.length - 1].time <= gap) run.push(each); else runs.push([each]);
    }
    const below = new Map(points.map((each) => [each, 0]));
    return this.lines.map((line) => {
      let path = "";
      for (const run of runs) {
        const floor = run.map((each) => `${x(each.time).toFixed(1)} ${y(below.get(each)).toFixed(1)}`).reverse();
        const roof = run.map((each) => {
          below.set(each, below.get(each) + (line.of(each) ?? 0));
          return `${x(each.time).toFixed(1)} ${y(below.get(each)).toFixed(1)}`;
        });
        path += `M${roof.join("L")}L${floor.join("L")}Z`;
      }
      return draw("path", {class: `area k-${line.key}`, d: path});
    });
  }

  // Shows the values of that time, or of the last point.
  point(time) {
    this.chosen = time;
    if (!this.view) return;
    const points = this.view.points;
    const at = time === null ? points[points.length - 1] : nearest(points, time);
    this.cursor.setAttribute("visibility", time === null || !at ? "hidden" : "visible");
    if (at) for (const end of ["x1", "x2"]) this.cursor.setAttribute(end, this.x(at.time));
    const said = this.lines.map((line, place) => {
      const value = at ? line.of(at) : null;
      const text = value === null || value === undefined ? "–" : this.format(value);
      this.values[place].textContent = text;
      return `${line.name} ${text}`;
    });
    if (time === null) this.svg.setAttribute("aria-label", `${this.title}, last: ${said.join(", ")}`);
  }
}
