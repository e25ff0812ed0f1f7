"""Writes oracle.json: random z, with the values and variations that the trainings' oracle of the first networks gives.

usage: make_oracle.py DOMAIN.json OUT.json; DOMAIN.json holds attributes (name, values, vertices, offset) and the rotation.
Products are in float64; variations are compared to 1e-5."""
import json, sys, torch
domain = json.load(open(sys.argv[1])); Q = torch.tensor(domain['rotation'], dtype=torch.float64)

def simplex(k):
    v = torch.zeros(k, k - 1, dtype=torch.float64)
    for d in range(k - 1):
        v[d, d] = (1 - (v[d, :d] ** 2).sum()).sqrt()
        for i in range(d + 1, k):
            v[i, d] = (-1 / (k - 1) - v[d, :d] @ v[i, :d]) / v[d, d]
    return v

torch.manual_seed(1); z = torch.randn(64, 128); zd = z.double()
u = (zd / zd.pow(2).mean(1, keepdim=True).sqrt()) @ Q.T
values = []
for a in domain['attributes']:
    k = len(a['vertices']); best = (u[:, a['offset']:a['offset'] + k - 1] @ simplex(k).T).argmax(1)
    values.append(torch.tensor(a['vertices'])[best])
rest = sum(len(a['vertices']) - 1 for a in domain['attributes'])
json.dump(dict(z=z.tolist(), values=torch.stack(values, 1).tolist(), continuous=u[:, rest:rest + 12].float().tolist(),
               rotation=Q[:, 0].tolist()), open(sys.argv[2], 'w'))
