# The network's add-on enforces NetworkPolicies only where it is told to.
resource "aws_eks_addon" "network" {
  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = "vpc-cni"
  configuration_values        = jsonencode({ enableNetworkPolicy = "true" })
  resolve_conflicts_on_create = "OVERWRITE"
}

resource "aws_eks_addon" "this" {
  for_each                    = toset(["coredns", "kube-proxy", "metrics-server"])
  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  resolve_conflicts_on_create = "OVERWRITE"
  depends_on                  = [aws_eks_node_group.this]
}

# Volumes of Kubeflow's own database and of Prometheus; adloop itself asks for none.
resource "aws_eks_addon" "volumes" {
  cluster_name             = aws_eks_cluster.this.name
  addon_name               = "aws-ebs-csi-driver"
  service_account_role_arn = module.volumes.arn
  depends_on               = [aws_eks_node_group.this, aws_iam_role_policy_attachment.volumes]
}

module "volumes" {
  source    = "../account"
  name      = "${var.name}-volumes"
  oidc      = local.oidc
  namespace = "kube-system"
  account   = "ebs-csi-controller-sa"
}

resource "aws_iam_role_policy_attachment" "volumes" {
  role       = module.volumes.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"
}
