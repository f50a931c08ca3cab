package cluster

// ValidateUpdate says which changes from old to new a cluster that runs does
// not survive, or that look like an accident: another name, an etcd cluster
// taken away, an etcd member moved to another group, none of its members kept,
// a lower Kubernetes version. Places are those of new.
func ValidateUpdate(old, new *Cluster) []Problem {
	v := &validation{cluster: new}
	if old.Name != new.Name {
		v.config(field("metadata", "name"), "the name cannot change: it was %q", old.Name)
	}
	if p := Downgrade(old, new); p != nil {
		v.problems = append(v.problems, *p)
	}
	for _, was := range old.Spec.EtcdClusters {
		v.checkEtcdUpdate(was)
	}
	return v.problems
}

// Downgrade is the problem that the Kubernetes version goes down, or nil. Going
// down within a minor version is common after a bad patch release; beyond one,
// etcd may hold what the older version cannot read.
func Downgrade(old, new *Cluster) *Problem {
	was, errWas := old.Effective()
	now, errNow := new.Effective()
	if errWas != nil || errNow != nil || now.KubernetesVersion.Compare(was.KubernetesVersion) >= 0 {
		return nil
	}
	v := &validation{cluster: new}
	v.config(field("spec", "kubernetesVersion"), "%s is lower than %s", now.KubernetesVersion, was.KubernetesVersion)
	return &v.problems[0]
}

func (v *validation) checkEtcdUpdate(was EtcdCluster) {
	for i, now := range v.cluster.Spec.EtcdClusters {
		if now.Name != was.Name {
			continue
		}
		groups := map[string]string{}
		for _, m := range was.Members {
			groups[m.Name] = m.InstanceGroup
		}
		kept := 0
		for j, m := range now.Members {
			group, ok := groups[m.Name]
			if !ok {
				continue
			}
			kept++
			if group != m.InstanceGroup {
				v.config(field("spec", "etcdClusters", i, "etcdMembers", j, "instanceGroup"),
					"member %q of etcd cluster %q cannot move from instance group %q to %q: its data is there", m.Name, now.Name, group, m.InstanceGroup)
			}
		}
		if kept == 0 && len(was.Members) > 0 {
			v.config(field("spec", "etcdClusters", i, "etcdMembers"), "etcd cluster %q keeps none of its members, and so none of its data", now.Name)
		}
		return
	}
	v.config(field("spec", "etcdClusters"), "etcd cluster %q cannot be taken away", was.Name)
}
