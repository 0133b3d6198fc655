// The lecture's optimizers over plain arrays of numbers: formulas, names of arguments and defaults
// are those of jaxlr.optimizers.
//
//   const { init, update } = optimizer("adam", { learning_rate: 0.1 });
//   let state = init(params), updates;
//   [updates, state] = update(grads, state, params);      // params[i] + updates[i] is the next point

// What each is called in English and in Russian, and the numbers it takes with their defaults;
// jaxlr gives the learning rate none (adadelta's null is 1), so here stands one to begin with.
// momentum and nesterov are jaxlr's sgd with these arguments.
export const names = {
  sgd: { label: ["SGD", "SGD"], takes: { learning_rate: 0.1 } },
  momentum: {
    label: ["Momentum (heavy ball)", "Импульс (тяжёлый шарик)"],
    takes: { learning_rate: 0.01, momentum: 0.9 },
  },
  nesterov: {
    label: ["Nesterov momentum", "Импульс Нестерова"],
    takes: { learning_rate: 0.01, momentum: 0.9 },
  },
  momentum_ema: {
    label: ["Momentum (average)", "Импульс (среднее)"],
    takes: { learning_rate: 0.1, decay: 0.9 },
  },
  adagrad: { label: ["Adagrad", "Adagrad"], takes: { learning_rate: 0.5 } },
  adadelta: { label: ["Adadelta", "Adadelta"], takes: { learning_rate: null, rho: 0.9 } },
  rmsprop: { label: ["RMSProp", "RMSProp"], takes: { learning_rate: 0.05, decay: 0.9 } },
  adam: { label: ["Adam", "Adam"], takes: { learning_rate: 0.1, b1: 0.9, b2: 0.999 } },
};

// `hyper` needs a learning_rate (adadelta may go without), and may change every other number.
export function optimizer(name, hyper) {
  const rules = {
    sgd: () => sgd(hyper),
    momentum: () => sgd({ momentum: 0.9, ...hyper }),
    nesterov: () => sgd({ momentum: 0.9, ...hyper, nesterov: true }),
    momentum_ema: () => momentumEma(hyper),
    adagrad: () => adagrad(hyper),
    adadelta: () => adadelta(hyper),
    rmsprop: () => rmsprop(hyper),
    adam: () => adam(hyper),
  };
  if (!Object.hasOwn(rules, name)) throw new RangeError(`no optimizer is called ${name}`);
  return coordinatewise(...rules[name]());
}

// The optimizer that applies `rule(g, t, ...memory) -> [update, ...memory]` to each coordinate, t
// from 1; `start` is what each memory begins with.
function coordinatewise(rule, start = []) {
  return {
    init: (params) => ({ count: 0, memory: start.map((first) => params.map(() => first)) }),
    update(grads, state) {
      const t = state.count + 1;
      const updates = new Array(grads.length);
      const memory = start.map(() => new Array(grads.length));
      for (let i = 0; i < grads.length; i += 1) {
        const [u, ...kept] = rule(grads[i], t, ...state.memory.map((old) => old[i]));
        updates[i] = u;
        kept.forEach((m, k) => { memory[k][i] = m; });
      }
      return [updates, { count: t, memory }];
    },
  };
}

function sgd({ learning_rate, momentum = null, nesterov = false }) {
  if (momentum === null) return [(g) => [-learning_rate * g]];
  return [(g, t, old) => {
    const v = g + momentum * old;
    return [-learning_rate * (nesterov ? g + momentum * v : v), v];
  }, [0]];
}

function momentumEma({ learning_rate, decay = 0.9 }) {
  return [(g, t, old) => {
    const v = decay * old + (1 - decay) * g;
    return [-learning_rate * v, v];
  }, [0]];
}

function adagrad({ learning_rate, initial_accumulator_value = 0.1, eps = 1e-7 }) {
  return [(g, t, old) => {
    const s = old + g ** 2;
    return [-learning_rate * (s > 0 ? g / Math.sqrt(s + eps) : 0), s];
  }, [initial_accumulator_value]];
}

function adadelta({ learning_rate = null, rho = 0.9, eps = 1e-6 }) {
  const rate = learning_rate ?? 1;
  return [(g, t, oldV, oldS) => {
    const v = rho * oldV + (1 - rho) * g ** 2;
    const step = (Math.sqrt(oldS + eps) / Math.sqrt(v + eps)) * g;
    return [-rate * step, v, rho * oldS + (1 - rho) * step ** 2];
  }, [0, 0]];
}

// jaxlr's default has eps under the root; the lecture's √s + eps is eps_in_sqrt: false.
function rmsprop({ learning_rate, decay = 0.9, eps = 1e-8, eps_in_sqrt = true }) {
  return [(g, t, old) => {
    const s = decay * old + (1 - decay) * g ** 2;
    return [(-learning_rate * g) / (eps_in_sqrt ? Math.sqrt(s + eps) : Math.sqrt(s) + eps), s];
  }, [0]];
}

function adam({ learning_rate, b1 = 0.9, b2 = 0.999, eps = 1e-8, eps_root = 0 }) {
  return [(g, t, oldM, oldV) => {
    const m = b1 * oldM + (1 - b1) * g;
    const v = b2 * oldV + (1 - b2) * g ** 2;
    const mHat = m / (1 - b1 ** t), vHat = v / (1 - b2 ** t);
    return [(-learning_rate * mHat) / (Math.sqrt(vHat + eps_root) + eps), m, v];
  }, [0, 0]];
}
