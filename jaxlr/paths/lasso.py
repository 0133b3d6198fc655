"""The quadratic model of a step with its l1 part, minimised for many lanes at once."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.linalg import cho_solve

from jaxlr.paths import sharing
from jaxlr.paths.hessians import times
from jaxlr.paths.problem import Lanes
from jaxlr.pytypes import Array

TURNS = 12  # of one step: Newton's step on the face, and a sweep of the coordinates
SWEPT = 1e-3  # a sweep whose largest gain is this part of all that was gained is the last


def step(lanes: Lanes, state: Any, tol: Array) -> tuple[Array, Array]:
    """The minimum of model plus l1 part, as a step [L, C, P], and what the model gains [L].

    The state has params, grad, hessian, active and risk, as in `proximal`; what is left of the
    gain at the end is small beside tol · risk.
    """
    num_lanes, num_outputs, size = state.params.shape
    whole = num_outputs * size
    groups = len(state.hessian)
    w, g = state.params.reshape(num_lanes, whole), state.grad.reshape(num_lanes, whole)
    free = jnp.tile(jnp.zeros(size, bool).at[-1].set(True), num_outputs)  # intercepts
    strength = (lanes.lam * lanes.l1_ratio)[:, None] * jnp.where(free, 0, 1)[None]
    diagonal = jnp.repeat(
        jnp.diagonal(state.hessian, axis1=1, axis2=2), num_lanes // groups, axis=0
    )
    target = (SWEPT * tol * state.risk)[:, None]

    def sweep(carry):
        d, hd, count, _ = carry
        # Who may move: what is not 0, and what its slope pushes off 0, in any lane.
        slope = g + hd
        moves = (w + d != 0) | (jnp.abs(slope) > strength)
        moves = jnp.any(moves & state.active[:, None], axis=0)
        order = jnp.argsort(~moves, stable=True)

        def coordinate(i, carry):
            d, hd, gain = carry
            j = order[i]
            h, here = diagonal[:, j], w[:, j] + d[:, j]
            wish = here - (g[:, j] + hd[:, j]) / h
            wish = jnp.sign(wish) * jnp.maximum(jnp.abs(wish) - strength[:, j] / h, 0)
            change = jnp.where(state.active, wish - here, 0)
            column = jnp.repeat(state.hessian[:, j], num_lanes // groups, axis=0)
            gain = jnp.maximum(gain, h * change**2)
            return d.at[:, j].add(change), hd + change[:, None] * column, gain

        d, hd, gain = jax.lax.fori_loop(
            0, jnp.sum(moves), coordinate, (d, hd, jnp.zeros(num_lanes))
        )
        return d, hd, count + 1, gain

    def face(d, hd):
        """Newton's step among the coordinates that are not 0, where their signs are as they are.

        Sweeps alone take thousands of turns where features are nearly alike. It ends where the
        first sign would change, or, if that gains more, with those that change theirs at 0.
        """
        u = w + d
        moves = ((u != 0) | free[None]) & state.active[:, None]
        slope = jnp.where(moves, g + hd + strength * jnp.sign(u), 0)
        newton = -_solved(state.hessian, moves, slope)
        stops = (u * (u + newton) < 0) & ~free[None]
        reach = jnp.where(stops, -u / jnp.where(stops, newton, 1), 1)
        nearest = jnp.min(reach, axis=1, keepdims=True)
        to_nearest = jnp.where(stops & (reach == nearest), -u, nearest * newton)
        to_all = jnp.where(stops, -u, newton)
        gains, steps, images = [], [], []
        for change in (0 * d, to_nearest, to_all):
            image = hd + times(state.hessian, change)
            gains.append(_gain(w, g, d + change, image, strength))
            steps.append(d + change)
            images.append(image)
        best = jnp.argmax(jnp.stack(gains), axis=0)[None, :, None]
        pick = partial(jnp.take_along_axis, indices=best, axis=0)
        return pick(jnp.stack(steps))[0], pick(jnp.stack(images))[0]

    def turn(carry):
        d, hd, count, _ = carry
        d, hd = face(d, hd)
        d, hd, _, gain = sweep((d, hd, count, gain_of_none))
        return d, hd, count + 1, gain

    def going(carry):
        d, hd, count, gain = carry
        left = gain > jnp.maximum(SWEPT * _gain(w, g, d, hd, strength), target[:, 0])
        return (count < TURNS) & jnp.any(left & state.active)

    none, gain_of_none = jnp.zeros_like(w), jnp.zeros(num_lanes)
    carry = sweep((none, none, 0, gain_of_none))
    d, hd, _, _ = jax.lax.while_loop(going, turn, carry)
    return d.reshape(state.params.shape), _gain(w, g, d, hd, strength)


def _solved(hessian: Array, moves: Array, slope: Array) -> Array:
    """The moving coordinates' own system, solved for each lane: [L, Q], 0 elsewhere."""
    num_lanes = len(slope)
    group = jnp.arange(num_lanes) // (num_lanes // len(hessian))

    def one(args):
        group, moves, slope = args
        among = jnp.where(moves[:, None] & moves[None], hessian[group], 0)
        factor = jnp.linalg.cholesky(among + jnp.diag(jnp.where(moves, 0.0, 1.0)))
        step = cho_solve((factor, True), slope)
        return jnp.where(moves & jnp.all(jnp.isfinite(step)), step, 0)

    return sharing.mapped(one, (group, moves, slope))


def _gain(w, g, d, hd, strength):
    """What the model says that the step d gains, [L]."""
    l1 = jnp.sum(strength * (jnp.abs(w + d) - jnp.abs(w)), axis=1)
    return -(jnp.sum(g * d, axis=1) + jnp.sum(d * hd, axis=1) / 2 + l1)
