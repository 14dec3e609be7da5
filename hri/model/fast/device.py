"""The recurrent loop of ``GraphDynamics`` as few tensor operations, for devices where each costs a launch.

What :mod:`hri.model.fast.recurrence` is for CPUs: forward and backward pass through time written out, gradients of
weights summed over all times at once. A phase of messages is seven operations forward and ten back, where plain
autograd needs three times as many. Gathering and summing at nodes are products with matrices of zeros and ones, so they
are exact and give the same numbers every time. Tests hold it equal to calling the module step after step.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from hri.model.dynamics import BURN_IN, GraphDynamics, LSTMState
from hri.model.fast.burn_in import burning_in

ENABLED = True
"""Whether devices take this loop; the plain one is there to compare with."""


def suits(values: Tensor) -> bool:
    """Whether to take this loop: float32 on a device that is no CPU, and gradients wanted."""
    return ENABLED and values.device.type != "cpu" and values.dtype == torch.float32 and torch.is_grad_enabled()


@burning_in
def burn_in(dynamics: GraphDynamics, gates: Tensor, memory: LSTMState, weights: Tensor) -> tuple[Tensor, Tensor]:
    """All steps at once, on :data:`hri.model.fast.burn_in.Recurrence`'s tensors."""
    messages = dynamics.messages
    # One tensor a phase, [T, E', B, K]: what each of its edges weighs at every time.
    spoken = [weights.index_select(0, rows).transpose(0, 1) for rows in dynamics.rows()]
    both = [part for pair in zip(messages.first, messages.second, strict=True) for part in pair]
    parameters = [tensor for part in both for tensor in (part.weight, part.bias)]
    joins = [(torch.cat([phase.into.T, phase.out_of.T], 1), phase.into) for phase in dynamics.joined()]
    return DeviceBurnIn.apply(
        dynamics.residual,
        messages.skip,
        joins,
        gates,
        memory.hidden,
        memory.cell,
        dynamics.lstm.weight_hh,
        len(spoken),
        *spoken,
        *parameters,
    )


class DeviceBurnIn(torch.autograd.Function):
    """Inputs: the first type that speaks; for each phase a matrix [E', 2N] that adds terms of receivers and senders and
    one [N, E'] that sums at receivers; gates [T, N, B, 4H] (the inputs' share), hidden and cell [N, B, H], W_hh,
    weights [T, E', B, K] of each phase; for each speaking type W1 [H, 2H], b1, W2 [H, H], b2. Outputs: hidden states
    after each step [T, N, B, H], last cell [N, B, H].
    """

    @staticmethod
    def forward(
        context: Any,
        residual: bool,
        skip: int,
        joins: list[tuple[Tensor, Tensor]],
        gates: Tensor,
        hidden: Tensor,
        cell: Tensor,
        w_hh: Tensor,
        phases: int,
        *rest: Tensor,
    ) -> tuple[Tensor, Tensor]:
        spoken, parameters = rest[:phases], rest[phases:]
        (steps, nodes, batch, _), width, types = gates.shape, hidden.shape[-1], len(parameters) // 4
        rows = nodes * batch
        heard = _halves(parameters, width)
        biases = [bias.detach().repeat(batch) for bias in parameters[1::4]]
        gates = gates.flatten(1, 2).contiguous()
        before: list[list[Tensor]] = []
        inner: list[list[Tensor]] = []
        outer: list[list[Tensor]] = []
        saved, out, cells = [], [], [cell.reshape(rows, width)]
        state = hidden.reshape(rows, width)
        for time in range(steps):
            # Of this step: the hidden state that each phase hears, and what is between its layers, phase by phase.
            states, pairs, messages = [], [], []
            for phase, (join, into) in enumerate(joins):
                states.append(state)
                total = state.view(nodes, -1) if residual else None
                for kind in range(types):
                    _, _, w2, b2 = parameters[4 * kind : 4 * kind + 4]
                    # All nodes as receivers and as senders: [2, N B, H].
                    terms = torch.bmm(state.expand(2, -1, -1), heard[kind])
                    pair = torch.addmm(biases[kind], join, terms.view(2 * nodes, -1)).tanh_().view(-1, width)
                    message = torch.addmm(b2, pair, w2.T).tanh_()
                    loud = message.view(-1, batch, width) * spoken[phase][time, :, :, kind + skip : kind + skip + 1]
                    if total is None:
                        total = torch.mm(into, loud.flatten(1)).div_(types)
                    else:
                        total = torch.addmm(total, into, loud.flatten(1), alpha=1 / types)
                    pairs.append(pair)
                    messages.append(message)
                assert total is not None  # at least one type speaks
                state = total.view(rows, width)
            states.append(state)
            state, after, squashed = _lstm(gates[time], torch.mm(state, w_hh.T), cells[-1])
            out.append(state)
            cells.append(after)
            before, inner, outer = [*before, states], [*inner, pairs], [*outer, messages]
            saved.append(squashed)
        flat = [tensor for lists in (before, inner, outer) for step in lists for tensor in step]
        context.save_for_backward(w_hh, *flat, *cells, *saved, *spoken, *parameters)
        context.facts = residual, skip, joins, steps, nodes, batch
        # Copies: an output that its own context holds would keep the whole graph alive, update after update.
        return torch.stack(out).view(steps, nodes, batch, width), cells[-1].clone().view(nodes, batch, width)

    @staticmethod
    def backward(context: Any, d_out: Tensor, d_cell: Tensor) -> tuple[Tensor | None, ...]:
        residual, skip, joins, steps, nodes, batch = context.facts
        rest = list(context.saved_tensors)
        phases = len(joins)
        types = (len(rest) - 1 - steps * (phases + 3) - 1 - phases) // (2 * steps * phases + 4)

        def take(count: int) -> list[Tensor]:
            block, rest[:count] = rest[:count], []
            return block

        (w_hh,) = take(1)
        before = [take(phases + 1) for _ in range(steps)]
        inner, outer = ([take(phases * types) for _ in range(steps)] for _ in range(2))
        cells, saved, spoken, parameters = take(steps + 1), take(steps), take(phases), rest
        width = w_hh.shape[1]
        rows = nodes * batch
        heard = _halves(parameters, width)
        back = [part.mT.contiguous() for part in heard]
        d_gates: list[Tensor] = []
        # Lists over time, the last step first; those of phases and types one behind the other.
        d_weights: list[list[Tensor]] = [[] for _ in range(phases * types)]
        d_terms: list[list[Tensor]] = [[] for _ in range(phases * types)]
        d_outer: list[list[Tensor]] = [[] for _ in range(phases * types)]
        d_out = d_out.reshape(steps, rows, width)
        d_hidden, d_memory = torch.zeros_like(d_out[0]), d_cell.reshape(rows, width)
        for time in reversed(range(steps)):
            ends = cells[time], cells[time + 1]
            d_gate, d_memory = _lstm_backward(d_hidden + d_out[time], d_memory, *ends, saved[time])
            d_gates.append(d_gate)
            d_hidden = torch.mm(d_gate, w_hh)
            for phase in reversed(range(phases)):
                join, into = joins[phase]
                d_after, total = d_hidden.view(nodes, -1), d_hidden if residual else None
                for kind in range(types):
                    place = phase * types + kind
                    message, pair = outer[time][place], inner[time][place]
                    d_loud = torch.mm(into.T, d_after).view(-1, batch, width)
                    d_loud = d_loud if types == 1 else d_loud.div_(types)
                    d_weights[place].append((d_loud * message.view_as(d_loud)).sum(-1))
                    loud = spoken[phase][time, :, :, kind + skip : kind + skip + 1]
                    d_message = torch.ops.aten.tanh_backward((d_loud * loud).view(-1, width), message)
                    d_outer[place].append(d_message)
                    d_pair = torch.ops.aten.tanh_backward(torch.mm(d_message, parameters[4 * kind + 2]), pair)
                    terms = torch.mm(join.T, d_pair.view(len(join), -1)).view(2, rows, width)
                    d_terms[place].append(terms)
                    total = torch.mm(terms[0], back[kind][0]) if total is None else total.addmm(terms[0], back[kind][0])
                    total = total.addmm(terms[1], back[kind][1])
                assert total is not None
                d_hidden = total
        d_parameters: list[Tensor] = []
        for kind in range(types):
            places = [phase * types + kind for phase in range(phases)]
            steps_back = list(reversed(range(steps)))
            heard_from = torch.cat([before[time][phase] for phase in range(phases) for time in steps_back])
            terms = torch.cat([part for place in places for part in d_terms[place]], 1)
            d_w1 = torch.bmm(terms.mT, heard_from.expand(2, -1, -1))
            message = torch.cat([part for place in places for part in d_outer[place]])
            d_w2 = torch.mm(message.T, torch.cat([inner[time][place] for place in places for time in steps_back]))
            d_parameters += [torch.cat([d_w1[0], d_w1[1]], 1), terms[0].sum(0), d_w2, message.sum(0)]
        d_spoken = []
        for phase in range(phases):
            kinds = [torch.stack(d_weights[phase * types + kind][::-1]) for kind in range(types)]
            d_spoken.append(torch.stack([torch.zeros_like(kinds[0])] * skip + kinds, -1))
        d_inputs = torch.stack(d_gates[::-1])
        d_w_hh = torch.mm(d_inputs.flatten(0, 1).T, torch.cat([step[-1] for step in before]))
        first = (part.view(nodes, batch, width) for part in (d_hidden, d_memory))
        return None, None, None, d_inputs.view(steps, nodes, batch, -1), *first, d_w_hh, None, *d_spoken, *d_parameters


def _halves(parameters: Any, width: int) -> list[Tensor]:
    """Of each type: the receiver's and the sender's half of W1, transposed for products from the left [2, H, H]."""
    firsts = [weight.detach() for weight in parameters[::4]]
    return [torch.stack([weight[:, :width].T, weight[:, width:].T]) for weight in firsts]


def _lstm(inputs: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hidden state, cell and squashed gates [R, 4H] after one step from both shares of the gates."""
    if inputs.is_cuda:
        return torch.ops.aten._thnn_fused_lstm_cell(inputs, hidden, cell, None, None)
    enter, forget, candidate, leave = (inputs + hidden).chunk(4, 1)
    gates = torch.cat([enter.sigmoid(), forget.sigmoid(), candidate.tanh(), leave.sigmoid()], 1)
    enter, forget, candidate, leave = gates.chunk(4, 1)
    after = forget * cell + enter * candidate
    return leave * after.tanh(), after, gates


def _lstm_backward(
    d_hidden: Tensor, d_cell: Tensor, cell: Tensor, after: Tensor, gates: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients of the gates' shares and of the earlier cell."""
    if gates.is_cuda:
        d_gates, d_before, _ = torch.ops.aten._thnn_fused_lstm_cell_backward_impl(
            d_hidden, d_cell, cell, after, gates, False
        )
        return d_gates, d_before
    enter, forget, candidate, leave = gates.chunk(4, 1)
    bent = after.tanh()
    d_after = d_cell + d_hidden * leave * (1 - bent * bent)
    parts = [
        d_after * candidate * enter * (1 - enter),
        d_after * cell * forget * (1 - forget),
        d_after * enter * (1 - candidate * candidate),
        d_hidden * bent * leave * (1 - leave),
    ]
    return torch.cat(parts, 1), d_after * forget


BURN_IN.register(suits, burn_in)
